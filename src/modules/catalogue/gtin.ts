/** The digits of a GTIN-8, -12, -13 or -14 whose check digit is right (GS1 General Specifications 7.9), else null. */
export function readGtin(text: string): string | null {
  const digits = /^\d+$/.test(text) ? text : text.replace(/[\s-]/g, '');
  if (!/^(?:\d{8}|\d{12,14})$/.test(digits) || /^0+$/.test(digits)) return null;
  let sum = 0;
  for (let i = digits.length - 1, weight = 1; i >= 0; i--, weight = 4 - weight) {
    sum += (digits.charCodeAt(i) - 48) * weight;
  }
  return sum % 10 === 0 ? digits : null;
}
