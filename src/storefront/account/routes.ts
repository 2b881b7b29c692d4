import formbody from '@fastify/formbody';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.ts';
import { html } from '../../kernel/html.ts';
import { badRequest, type Http } from '../../kernel/http/index.ts';
import { registerDelete } from './delete-page.ts';
import { readForm } from './fields.ts';
import { registerForgotPassword } from './forgot-password-page.ts';
import { registerLogIn } from './log-in-page.ts';
import { registerNotifications } from './notifications-page.ts';
import { type AccountPage, goTo, pageAt, type Registers, type Shop, show } from './page.ts';
import { registerProfile } from './profile-page.ts';
import { registerRegister } from './register-page.ts';
import { registerResetPassword } from './reset-password-page.ts';
import { registerSecondFactor } from './second-factor-page.ts';
import { registerSecurity } from './security-page.ts';
import { registerSessions } from './sessions-page.ts';
import { registerVerifyEmail } from './verify-email-page.ts';

const PAGES: readonly Registers[] = [
  registerLogIn,
  registerRegister,
  registerForgotPassword,
  registerResetPassword,
  registerVerifyEmail,
  registerProfile,
  registerSecurity,
  registerSecondFactor,
  registerSessions,
  registerNotifications,
  registerDelete,
];

/** Far more than anybody fills in. */
const FORM_LIMIT = 64 * 1024;

/** The pages about oneself, and `others` that depend on who asks. Forms are read here and nowhere else: the API takes none, and these take nothing else. */
export function registerAccountPages(app: Http, shop: Shop, others: readonly Registers[] = []): void {
  app.register(async (instance) => {
    const pages = instance as unknown as Http;
    pages.removeAllContentTypeParsers();
    await pages.register(formbody, { bodyLimit: FORM_LIMIT });

    pages.addHook('preValidation', async (request) => {
      // PostgreSQL stores no NUL, and no text that people write has one.
      if (Object.values(request.body ?? {}).some((value) => String(value).includes('\0')))
        throw badRequest('The form holds a NUL character.');
      // Whoever posts without a form is refused for that, not by a fault in reading it.
      request.body ??= {};
    });

    pages.setErrorHandler(async (error, request, reply) => {
      const code = error instanceof AppError ? error.code : null;
      if (code === 'unauthenticated') return askToLogIn(request, reply);
      if (code === 'csrf_failed') return sendAgain(shop, request, reply, error as AppError);
      throw error;
    });

    for (const register of [...PAGES, ...others]) register(pages, shop);
  });
}

const pathOf = (request: FastifyRequest) => request.raw.url!.split('?', 1)[0]!;

/** Whoever is not logged in, or no longer, comes back after it: to the page whose form it was, since nothing was done. */
function askToLogIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request);
  if (path === '/logout') return goTo(reply, '/');
  return goTo(reply, pageAt('/login', { next: request.method === 'GET' ? request.raw.url! : path }));
}

/**
 * A form whose token does not hold: nearly always one that lay in another tab while somebody logged in or out in this one.
 * Nothing of it is done.
 */
function sendAgain(
  shop: Shop,
  request: FastifyRequest,
  reply: FastifyReply,
  { code, status }: AppError,
): Promise<FastifyReply> {
  // A page from a link in a mail is nothing without what that link holds.
  const { token } = readForm(request, ['token']);
  const form = token === '' ? pathOf(request) : `${pathOf(request)}?${new URLSearchParams({ token })}`;
  const page: AccountPage = {
    title: 'Please send the form once more',
    secret: token !== '',
    body: () => html`<p>Nothing was changed. This form was opened before you last logged in or out, or it was not sent from this shop.</p>
<p><a class="button" href="${form}">Open the form again</a></p>`,
  };
  return show(shop, request, reply, page, { code, status, headers: {}, faults: [] });
}
