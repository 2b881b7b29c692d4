import Bowser from 'bowser';

/** A user agent as a person knows it: `Firefox on Windows`. Programs keep what they call themselves. */
export function describeDevice(userAgent: string): string {
  if (userAgent === '') return 'Unknown device';
  const { browser, os } = Bowser.parse(userAgent);
  const program = browser.name || userAgent.split(/[ /]/, 1)[0] || 'Unknown program';
  return os.name ? `${program} on ${os.name}` : program;
}
