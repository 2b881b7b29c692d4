import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import type { Http } from '../../kernel/http/index.ts';
import { allow, identityOf } from './access.ts';
import { eraseAccount } from './erase-account.ts';
import type { Accounts } from './index.ts';
import { OWN_ACCOUNT } from './limits.ts';
import { changeNotificationSettings, readNotificationSettings } from './notification-settings.ts';
import { changeProfile, type Profile, readProfile, replaceProfile } from './profile.ts';
import {
  NotificationChange,
  NotificationSettings,
  OwnPassword,
  ProfilePatch,
  ProfileReplacement,
  Profile as ProfileShape,
} from './schemas.ts';

const tags = ['Profile'];
const NO_STORE = { 'cache-control': 'no-store' };

/** One's own profile. */
export function registerProfileRoutes(app: Http, accounts: Accounts): void {
  const send = (reply: FastifyReply, profile: Profile) =>
    reply.headers(NO_STORE).send({ ...profile, created_at: profile.created_at.toISOString() });

  app.get(
    '/api/profile',
    { schema: { summary: 'My profile', tags, response: { 200: ProfileShape } }, config: allow('user') },
    async (request, reply) => send(reply, await readProfile(accounts, identityOf(request).userId)),
  );

  const newAddress =
    'Another e-mail address takes the present password (`current_password`); it holds at once, and is unproved until the link that is mailed to it was followed.';

  app.put(
    '/api/profile',
    {
      schema: {
        summary: 'Replace my profile',
        description: `What is left out is emptied. ${newAddress}`,
        tags,
        body: ProfileReplacement,
        response: { 200: ProfileShape },
      },
      config: { ...allow('user'), limit: OWN_ACCOUNT },
    },
    async (request, reply) => send(reply, await replaceProfile(accounts, identityOf(request), request.body)),
  );

  app.patch(
    '/api/profile',
    {
      schema: {
        summary: 'Change my profile',
        description: `What is left out stays, in the address too; \`null\` empties. ${newAddress}`,
        tags,
        body: ProfilePatch,
        response: { 200: ProfileShape },
      },
      config: { ...allow('user'), limit: OWN_ACCOUNT },
    },
    async (request, reply) => send(reply, await changeProfile(accounts, identityOf(request), request.body)),
  );

  app.delete(
    '/api/profile',
    {
      schema: {
        summary: 'Erase my account',
        description: 'All that is known of the person goes; orders stay, without it. It cannot be undone.',
        tags,
        body: OwnPassword,
        response: { 204: Type.Null({ description: 'Done.' }) },
      },
      config: { ...allow('user'), limit: OWN_ACCOUNT },
    },
    async (request, reply) => {
      await eraseAccount(accounts, identityOf(request), request.body.password);
      if (accounts.browser.cookie(request) !== undefined) await accounts.browser.logOut(request, reply);
      return reply.code(204).headers(NO_STORE).send(null);
    },
  );

  app.get(
    '/api/profile/notifications',
    {
      schema: { summary: 'Which mails I want', tags, response: { 200: NotificationSettings } },
      config: allow('user'),
    },
    async (request, reply) =>
      reply.headers(NO_STORE).send(await readNotificationSettings(accounts, identityOf(request).userId)),
  );

  app.put(
    '/api/profile/notifications',
    {
      schema: {
        summary: 'Say which mails I want',
        description: 'What is left out is wanted. Mails about the account itself always come.',
        tags,
        body: NotificationChange,
        response: { 200: NotificationSettings },
      },
      config: { ...allow('user'), limit: OWN_ACCOUNT },
    },
    async (request, reply) =>
      reply
        .headers(NO_STORE)
        .send(await changeNotificationSettings(accounts, identityOf(request).userId, request.body)),
  );
}
