import { errorKinds } from '../errors.ts';

/** A page that lists every error code; where the `type` of a problem document leads. */
export function errorListPage(): string {
  const rows = errorKinds().map(
    ({ code, status, title }) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Error codes</title><link rel="icon" href="/favicon.svg">
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 3rem auto; padding: 0 1rem; color: #1c1b19; background: #fbfaf8 }
  table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .5rem 1rem .5rem 0; border-bottom: 1px solid #ddd9d2 }
  :target { background: #e6efe9 }
  @media (prefers-color-scheme: dark) { body { color: #ece9e4; background: #161513 } th, td { border-color: #37342f } :target { background: #1f3a30 } }
</style></head>
<body><h1>Error codes</h1>
<p>Errors of the API are problem documents (RFC 9457). Decide by <code>code</code>; <code>detail</code> is for people.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>Title</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></body></html>`;
}
