import Type from 'typebox';
import type { Http } from '../../kernel/http/index.ts';
import { allow, identityOf } from './access.ts';
import { changePassword } from './change-password.ts';
import type { Accounts } from './index.ts';
import { MAILS_ASKED_FOR, NEW_PASSWORDS, PASSWORD_RESETS } from './limits.ts';
import { forgotPassword, resetPassword } from './password-reset.ts';
import { EmailToken, ForgotPassword, PasswordChange, PasswordReset } from './schemas.ts';
import { resendVerification, verifyEmail } from './verify-email.ts';

const tags = ['Accounts'];
const NO_STORE = { 'cache-control': 'no-store' };
const Nothing = Type.Null({ description: 'Done.' });

/** Passwords, forgotten and changed, and the proof of an e-mail address. */
export function registerPasswordRoutes(app: Http, accounts: Accounts): void {
  app.post(
    '/api/auth/password/forgot',
    {
      schema: {
        summary: 'Ask for a link to set a new password',
        description: 'The answer is the same whether or not there is an account with this address.',
        tags,
        body: ForgotPassword,
        response: { 202: Type.Null({ description: 'If there is such an account, the link is on its way.' }) },
      },
      config: { ...allow('anyone'), limit: PASSWORD_RESETS },
    },
    async (request, reply) => {
      await forgotPassword(accounts, request.body.email);
      return reply.code(202).headers(NO_STORE).send(null);
    },
  );

  app.post(
    '/api/auth/password/reset',
    {
      schema: {
        summary: 'Set a new password by the token of a mailed link',
        description:
          'The token works once, for two hours. A password that is not good enough leaves it as it was. All sessions end.',
        tags,
        body: PasswordReset,
        response: { 204: Nothing },
      },
      config: { ...allow('anyone'), limit: NEW_PASSWORDS },
    },
    async (request, reply) => {
      await resetPassword(accounts, request.body, {
        address: request.ip,
        devices: accounts.browser.devices(request),
      });
      return reply.code(204).headers(NO_STORE).send(null);
    },
  );

  app.post(
    '/api/auth/password/change',
    {
      schema: {
        summary: 'Change my password',
        description: 'All my other sessions end; this one goes on.',
        tags,
        body: PasswordChange,
        response: { 204: Nothing },
      },
      config: { ...allow('user'), limit: NEW_PASSWORDS },
    },
    async (request, reply) => {
      await changePassword(accounts, identityOf(request), request.body);
      return reply.code(204).headers(NO_STORE).send(null);
    },
  );

  app.post(
    '/api/auth/email/verify',
    {
      schema: {
        summary: 'Prove an e-mail address by the token that was mailed to it',
        tags,
        body: EmailToken,
        response: { 204: Nothing },
      },
      config: { ...allow('anyone'), limit: MAILS_ASKED_FOR },
    },
    async (request, reply) => {
      await verifyEmail(accounts, request.body.token);
      return reply.code(204).headers(NO_STORE).send(null);
    },
  );

  app.post(
    '/api/auth/email/resend',
    {
      schema: {
        summary: 'Have the link that proves my e-mail address sent again',
        description: 'At most three times an hour. Only the newest link works.',
        tags,
        response: { 202: Type.Null({ description: 'The link is on its way.' }) },
      },
      config: { ...allow('user'), limit: MAILS_ASKED_FOR },
    },
    async (request, reply) => {
      await resendVerification(accounts, identityOf(request).userId);
      return reply.code(202).headers(NO_STORE).send(null);
    },
  );
}
