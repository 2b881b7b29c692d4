import { describe, expect, it } from 'vitest';
import { errorPage } from './error-page.ts';

const HOSTILE = `"><script>alert('x')</script>`;

describe('an error', () => {
  const problem = {
    type: '/docs/errors#x',
    title: 'T',
    status: 404,
    detail: HOSTILE,
    code: 'not_found',
    request_id: 'r-12345678',
  };

  it('says what happened and what to do, and offers the search', () => {
    const page = errorPage('Vitrine')(problem);
    expect(page).toContain('There is nothing at this address');
    expect(page).toContain('<form class="search" action="/products">');
    expect(page).toContain('noindex');
  });

  it('of ours gives a reference, and nothing of the fault itself', () => {
    const page = errorPage('Vitrine')({ ...problem, status: 500, code: 'internal_error' });
    expect(page).toContain('r-12345678');
    expect(page).not.toContain('alert');
  });

  it('shows a refusal’s reason as text', () => {
    const page = errorPage('Vitrine')({ ...problem, status: 400, code: 'bad_request' });
    expect(page).toContain('&lt;script&gt;');
    expect(page).not.toContain('<script>alert');
  });
});
