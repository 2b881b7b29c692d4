/** The header Content-Disposition for a file to be kept under its name (RFC 6266, 4.3; RFC 8187, 3.2). */
export function attachmentHeader(fileName: string): string {
  const plain = fileName.replace(/[^\w .()+,-]/g, '_');
  const encoded = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
