import Type from 'typebox';
import type { Http } from '../../kernel/http/index.ts';
import { allow, identityOf } from './access.ts';
import type { Accounts } from './index.ts';
import { OTP_CODES } from './limits.ts';
import { Enrolment, OtpConfirmation, PasswordAndOtp, RecoveryCodes, SecondFactorState } from './schemas.ts';
import {
  confirmSecondFactor,
  disableSecondFactor,
  enrollSecondFactor,
  newRecoveryCodes,
  secondFactorState,
} from './second-factor.ts';

const tags = ['Accounts'];
const NO_STORE = { 'cache-control': 'no-store' };
const REFRESH =
  'Access tokens say whether a second factor was used, so the ones from before stop working: a program refreshes its pair.';

/** The second factor of one's own account: codes of an authenticator app (RFC 6238). */
export function registerSecondFactorRoutes(app: Http, accounts: Accounts): void {
  const limited = { ...allow('user'), limit: OTP_CODES };

  app.get(
    '/api/auth/otp',
    {
      schema: { summary: 'Whether I have a second factor', tags, response: { 200: SecondFactorState } },
      config: allow('user'),
    },
    async (request, reply) =>
      reply.headers(NO_STORE).send(await secondFactorState(accounts, identityOf(request).userId)),
  );

  app.post(
    '/api/auth/otp/enroll',
    {
      schema: {
        summary: 'Get a secret for an authenticator app',
        description: 'Nothing depends on it until it is confirmed; asked for again, it is another.',
        tags,
        response: { 200: Enrolment },
      },
      config: limited,
    },
    async (request, reply) => reply.headers(NO_STORE).send(await enrollSecondFactor(accounts, identityOf(request))),
  );

  app.post(
    '/api/auth/otp/confirm',
    {
      schema: {
        summary: 'Turn my second factor on by a first code',
        description: `All my other sessions end, and this one counts as having used it. ${REFRESH}`,
        tags,
        body: OtpConfirmation,
        response: { 200: RecoveryCodes },
      },
      config: limited,
    },
    async (request, reply) =>
      reply.headers(NO_STORE).send(await confirmSecondFactor(accounts, identityOf(request), request.body.otp)),
  );

  app.post(
    '/api/auth/otp/disable',
    {
      schema: {
        summary: 'Turn my second factor off',
        description: REFRESH,
        tags,
        body: PasswordAndOtp,
        response: { 204: Type.Null({ description: 'Done.' }) },
      },
      config: limited,
    },
    async (request, reply) => {
      await disableSecondFactor(accounts, identityOf(request), request.body);
      return reply.code(204).headers(NO_STORE).send(null);
    },
  );

  app.post(
    '/api/auth/otp/recovery-codes',
    {
      schema: {
        summary: 'Get new recovery codes',
        description: 'The old ones stop working.',
        tags,
        body: PasswordAndOtp,
        response: { 200: RecoveryCodes },
      },
      config: limited,
    },
    async (request, reply) =>
      reply.headers(NO_STORE).send(await newRecoveryCodes(accounts, identityOf(request), request.body)),
  );
}
