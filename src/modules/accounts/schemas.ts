import Type, { type Static, type TSchema } from 'typebox';
import { EMAIL_PATTERN } from '../../kernel/config.ts';
import { ROLES } from './identity.ts';
import { LONGEST_PASSWORD } from './passwords.ts';

export const strict = { additionalProperties: false } as const;
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const Id = Type.String({ format: 'uuid' });
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, in UTC.' });

/** One line: no control characters. */
const LINE = '^[^\\u0000-\\u001f\\u007f]*$';
export const Line = (maxLength: number) => Type.String({ maxLength, pattern: LINE });

export const Email = Type.String({ maxLength: 254, pattern: EMAIL_PATTERN });
export const Username = Type.String({
  minLength: 3,
  maxLength: 40,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
  description: 'Letters, digits, full stops, hyphens and underscores.',
});
/** Far beyond what is accepted, so that the sentence about its length is the password's own. */
const Password = Type.String({ minLength: 1, maxLength: LONGEST_PASSWORD * 4 });
export const RoleName = Type.Enum([...ROLES]);
const Otp = Type.String({ maxLength: 40, description: 'The code of an authenticator app, or a recovery code.' });
const Token = Type.String({ minLength: 1, maxLength: 200 });

export const Registration = Type.Object(
  {
    email: Email,
    username: Username,
    password: Password,
    password_confirm: Type.Optional(Type.String({ maxLength: LONGEST_PASSWORD * 4 })),
    first_name: Type.Optional(Line(100)),
    last_name: Type.Optional(Line(100)),
  },
  strict,
);
export type Registration = Static<typeof Registration>;

export const RegisteredUser = Type.Object(
  {
    id: Id,
    email: Type.String(),
    username: Type.String(),
    first_name: Type.String(),
    last_name: Type.String(),
    role: RoleName,
  },
  strict,
);

export const LogIn = Type.Object(
  {
    email: Type.Optional(Type.String({ minLength: 1, maxLength: 254 })),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 254 })),
    password: Type.String({ minLength: 1, maxLength: LONGEST_PASSWORD * 4 }),
    otp: Type.Optional(Otp),
  },
  { ...strict, description: 'One of `email` and `username`; either field takes either.' },
);

export const TokenPair = Type.Object(
  {
    access: Type.String(),
    refresh: Type.String(),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds until the access token expires.' }),
  },
  strict,
);

export const Refresh = Type.Object({ refresh: Token }, strict);

export const CurrentSession = Type.Object(
  {
    id: Id,
    email: Type.String(),
    username: Type.String(),
    role: RoleName,
    session_id: nullable(Id),
    expires_at: nullable(Time),
  },
  strict,
);

export const SessionList = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          id: Id,
          kind: Type.Enum(['cookie', 'token']),
          device: Type.String({ description: 'Browser and system, as far as they say.' }),
          second_factor: Type.Boolean(),
          current: Type.Boolean(),
          created_at: Time,
          last_used_at: Time,
          expires_at: Time,
        },
        strict,
      ),
    ),
  },
  strict,
);

export const IdParam = Type.Object({ id: Id }, strict);

/** What a body may hold null of: one schema with two types, so that a fault is told once. */
const orNull = <T extends TSchema & { type: string }>(schema: T) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });

export const Phone = Type.String({
  maxLength: 40,
  pattern: '^(\\+?([ ().\\/-]*[0-9]){5,20}[ ().\\/-]*)?$',
  description: 'Five to twenty digits, with a plus sign, spaces, hyphens and the like as people write them; or empty.',
});
const Day = Type.String({ format: 'date', description: 'A date: `1990-12-31`.' });
const addressFields = {
  line1: Line(200),
  line2: Line(200),
  city: Line(100),
  region: Line(100),
  postal_code: Line(20),
  country: Type.String({ pattern: '^([A-Z]{2})?$', description: 'Two letters (ISO 3166-1 alpha-2), or empty.' }),
};
export const Address = Type.Object(addressFields, strict);
export type Address = Static<typeof Address>;
const AddressPatch = Type.Partial(Address, strict);

/** What people may change of themselves: nothing else is taken, such as a role. */
const profileFields = {
  email: Email,
  username: Username,
  first_name: Line(100),
  last_name: Line(100),
  phone: Phone,
  address: orNull(AddressPatch),
  date_of_birth: orNull(Day),
};
const proof = {
  current_password: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: LONGEST_PASSWORD * 4,
      description: 'Needed only when `email` becomes another address.',
    }),
  ),
};
export const ProfilePatch = Type.Object({ ...Type.Partial(Type.Object(profileFields)).properties, ...proof }, strict);
export type ProfilePatch = Static<typeof ProfilePatch>;
export const ProfileReplacement = Type.Object({ ...ProfilePatch.properties, email: Email, username: Username }, strict);
export type ProfileReplacement = Static<typeof ProfileReplacement>;

export const Profile = Type.Object(
  {
    id: Id,
    email: Type.String(),
    email_verified: Type.Boolean(),
    username: Type.String(),
    role: RoleName,
    first_name: Type.String(),
    last_name: Type.String(),
    phone: Type.String(),
    address: nullable(Address),
    date_of_birth: nullable(Day),
    second_factor: Type.Boolean(),
    created_at: Time,
  },
  strict,
);

/** Which mails somebody wants. */
const notifications = {
  orders: Type.Boolean({ description: 'Of one’s own orders.' }),
  price_alerts: Type.Boolean({ description: 'When an offer falls below the price that one asked to be told of.' }),
};
const staffNotifications = {
  product_changes: Type.Boolean({ description: 'Staff alone.' }),
  imports: Type.Boolean({ description: 'Staff alone.' }),
  low_stock: Type.Boolean({ description: 'Staff alone.' }),
  failed_jobs: Type.Boolean({ description: 'Staff alone.' }),
};
export const NOTIFICATIONS = Object.keys(notifications) as (keyof typeof notifications)[];
export const STAFF_NOTIFICATIONS = Object.keys(staffNotifications) as (keyof typeof staffNotifications)[];
/** A kind of message that one can do without. */
export type NotificationKey = keyof typeof notifications | keyof typeof staffNotifications;
export const NotificationSettings = Type.Object(
  { ...notifications, ...Type.Partial(Type.Object(staffNotifications)).properties },
  strict,
);
export type NotificationSettings = Static<typeof NotificationSettings>;
export const NotificationChange = Type.Partial(NotificationSettings, strict);
export type NotificationChange = Static<typeof NotificationChange>;

export const ForgotPassword = Type.Object({ email: Email }, strict);
export const PasswordReset = Type.Object({ token: Token, password: Password }, strict);
export const PasswordChange = Type.Object({ current_password: Password, password: Password }, strict);
export const EmailToken = Type.Object({ token: Token }, strict);
export const OwnPassword = Type.Object({ password: Password }, strict);

export const Enrolment = Type.Object(
  {
    secret: Type.String({ description: 'Base 32, for apps that cannot scan.' }),
    otpauth_uri: Type.String(),
    qr_svg: Type.String({ description: 'The URI as a QR code, drawn in SVG.' }),
  },
  strict,
);
export const OtpConfirmation = Type.Object(
  { otp: Type.String({ minLength: 1, maxLength: 40, description: 'The code that the app shows.' }) },
  strict,
);
export const PasswordAndOtp = Type.Object({ password: Password, otp: Otp }, strict);
export const RecoveryCodes = Type.Object(
  { recovery_codes: Type.Array(Type.String(), { description: 'Told here and never again. Each works once.' }) },
  strict,
);
export const SecondFactorState = Type.Object({ enabled: Type.Boolean(), recovery_codes_left: Type.Integer() }, strict);
