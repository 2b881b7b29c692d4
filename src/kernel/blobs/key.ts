const KEY = /^[a-z0-9_-][a-z0-9._-]*(\/[a-z0-9_-][a-z0-9._-]*)*$/;

/** The key, if it is one: it becomes a path of files and of URLs, so nothing in it may lead elsewhere. */
export function checkKey(key: string): string {
  if (key.length > 200 || !KEY.test(key)) throw new Error(`${JSON.stringify(key)} is no key of a blob.`);
  return key;
}
