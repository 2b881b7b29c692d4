/** For tests: a browser without script, which keeps cookies, reads pages and sends the forms that stand in them. */

export type Page = {
  status: number;
  path: string;
  headers: Headers;
  text: string;
  /** Where it sends one on to. */
  location: string | null;
};

export type Visitor = {
  cookies: Map<string, string>;
  /** As they were set last, with their attributes. */
  setCookies: string[];
  request(
    method: string,
    path: string,
    body?: URLSearchParams | FormData | string,
    headers?: Record<string, string>,
  ): Promise<Page>;
  /** Goes to a page, and on to wherever it leads. */
  open(path: string): Promise<Page>;
  /**
   * Fills in the form of a page that is sent to `action`, and sends it with all that it holds; `button` is the value of
   * the button pressed. Answers what came at once.
   */
  submit(page: Page, action: string, values?: Record<string, string>, button?: string): Promise<Page>;
  /** The same, and goes on to wherever it leads. */
  send(page: Page, action: string, values?: Record<string, string>, button?: string): Promise<Page>;
};

const FOLLOWED = 5;

const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0';

export function visitor(url: string): Visitor {
  const cookies = new Map<string, string>();
  const self: Visitor = {
    cookies,
    setCookies: [],
    async request(method, path, body, headers = {}) {
      const response = await fetch(url + path, {
        method,
        redirect: 'manual',
        headers: {
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          'user-agent': USER_AGENT,
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      self.setCookies = response.headers.getSetCookie();
      for (const cookie of self.setCookies) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
        if (value === '') cookies.delete(name!);
        else cookies.set(name!, value!);
      }
      const text = await response.text();
      return {
        status: response.status,
        path,
        headers: response.headers,
        text,
        location: response.headers.get('location'),
      };
    },
    async open(path) {
      let page = await self.request('GET', path);
      for (let i = 0; i < FOLLOWED && page.location !== null; i++) page = await self.request('GET', page.location);
      return page;
    },
    submit(page, action, values, button) {
      const form = formOf(page, action);
      for (const [name, value] of Object.entries(values ?? {})) form.set(name, value);
      if (button) form.set('do', button);
      return self.request('POST', action, form);
    },
    async send(page, action, values, button) {
      const answer = await self.submit(page, action, values, button);
      return answer.location === null ? answer : self.open(answer.location);
    },
  };
  return self;
}

/** What the form holds as it stands. */
export function formOf(page: Page, action: string): URLSearchParams {
  const form = [...page.text.matchAll(/<form [^>]*method="post"[^>]*>.*?<\/form>/gs)]
    .map(([text]) => text)
    .find((text) => text.includes(`action="${action}"`));
  if (!form) throw new Error(`${page.path} (${page.status}) has no form for ${action}.`);
  const fields = new URLSearchParams();
  for (const [input] of form.matchAll(/<input [^>]*>/g)) {
    const of = (attribute: string) => new RegExp(` ${attribute}="([^"]*)"`).exec(input)?.[1];
    const name = of('name');
    if (name === undefined || (of('type') === 'checkbox' && !/ checked/.test(input))) continue;
    fields.set(name, plainText(of('value') ?? ''));
  }
  for (const [, name, options] of form.matchAll(/<select [^>]*name="([^"]*)"[^>]*>(.*?)<\/select>/gs))
    fields.set(name!, /value="([^"]*)" selected/.exec(options!)?.[1] ?? '');
  for (const [, name, text] of form.matchAll(/<textarea [^>]*name="([^"]*)"[^>]*>\n(.*?)<\/textarea>/gs))
    fields.set(name!, plainText(text!));
  return fields;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

export function plainText(markup: string): string {
  return markup.replace(/<[^>]*>/g, '').replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name]!);
}

/** What the summary at the top says is wrong. */
export function faultsOf(page: Page): string[] {
  const summary = /<div class="summary".*?<\/div>/s.exec(page.text)?.[0] ?? '';
  return [...summary.matchAll(/<li>(.*?)<\/li>/gs)].map((match) => plainText(match[1]!));
}

export function noticeOf(page: Page): string {
  return plainText(/<p class="notice"[^>]*>(.*?)<\/p>/s.exec(page.text)?.[1] ?? '');
}

export function titleOf(page: Page): string {
  return plainText(/<h1>(.*?)<\/h1>/s.exec(page.text)?.[1] ?? '');
}

export const PASSWORD = 'correct horse battery';

let named = 0;
export const nextName = () => `ada${++named}`;

/** Somebody who has just opened an account. */
export async function registered(url: string): Promise<{ one: Visitor; username: string; profile: Page }> {
  const username = nextName();
  const one = visitor(url);
  const form = { email: `${username}@example.com`, username, password: PASSWORD };
  const profile = await one.send(await one.open('/register'), '/register', form);
  if (profile.path !== '/profile?done=registered') throw new Error(`Registered, and came to ${profile.path}.`);
  return { one, username, profile };
}

export async function logIn(one: Visitor, login: string, password = PASSWORD): Promise<Page> {
  return one.send(await one.open('/login'), '/login', { login, password });
}
