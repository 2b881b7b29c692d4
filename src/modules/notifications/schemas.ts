import Type from 'typebox';
import { PAGING, PageOf } from '../../kernel/paging.ts';
import { MAIL_STATES } from './mailbox.ts';

const strict = { additionalProperties: false } as const;
const Time = Type.String({ format: 'date-time' });
const MaybeTime = Type.Union([Time, Type.Null()]);
const MaybeText = Type.Union([Type.String(), Type.Null()]);

const State = Type.Enum([...MAIL_STATES], {
  description:
    '`kept`: written while no mail server was set, and only sent when it is retried. `failed`: refused for good, or given up after about a day.',
});

const email = {
  id: Type.String({ format: 'uuid' }),
  template: Type.String(),
  to: Type.String(),
  subject: Type.String(),
  state: State,
  tries: Type.Integer({ description: 'Since it was written, or last retried.' }),
  last_error: MaybeText,
  last_tried_at: MaybeTime,
  next_try_at: { ...MaybeTime, description: 'When a queued e-mail is due.' },
  sent_at: { ...MaybeTime, description: 'When the mail server accepted it.' },
  created_at: Time,
};

const EmailSummary = Type.Object(email, strict);
export const EmailPage = PageOf(EmailSummary);
export const Email = Type.Object(
  {
    ...email,
    message_id: { ...MaybeText, description: 'Its header Message-ID; null before the first try.' },
    text: Type.String(),
    html: MaybeText,
    attachments: Type.Array(
      Type.Object({ file_name: Type.String(), content_type: Type.String(), bytes: Type.Integer() }, strict),
      { description: 'The first is at `/api/emails/{id}/attachments/1`.' },
    ),
  },
  strict,
);

export const EmailId = Type.Object({ id: Type.String({ format: 'uuid' }) }, strict);
export const AttachmentPlace = Type.Object(
  { id: Type.String({ format: 'uuid' }), n: Type.Integer({ minimum: 1, maximum: 1_000 }) },
  strict,
);
export const EmailQuery = Type.Object(
  {
    ...PAGING,
    state: Type.Optional(State),
    template: Type.Optional(Type.String({ maxLength: 100 })),
    to: Type.Optional(Type.String({ maxLength: 254, description: 'The whole address.' })),
  },
  strict,
);
