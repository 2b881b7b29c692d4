/** What can be wrong with a row (an issue, the others go in) and with a file (an error, nothing goes in). */

export type FeedIssueCode =
  // the row is rejected
  | 'id_missing'
  | 'title_missing'
  | 'price_missing'
  | 'price_invalid'
  | 'price_ambiguous'
  | 'price_precision'
  | 'price_not_usable'
  | 'price_currency'
  | 'price_currency_mismatch'
  | 'quantity_invalid'
  | 'value_too_long'
  | 'item_too_large'
  // the row is accepted; the message says what was done instead
  | 'price_repeated'
  | 'old_price_not_higher'
  | 'sale_price_not_lower'
  | 'sale_price_date_invalid'
  | 'availability_unknown'
  | 'condition_unknown'
  | 'gender_unknown'
  | 'age_group_unknown'
  | 'gtin_invalid'
  | 'value_repeated'
  | 'description_cut'
  | 'category_cut';

/**
 * One thing to tell about one row. A row has at most one issue with `rejected: true`, and then is not imported. The
 * codes of prices also stand for sale prices (`field` tells), where they never reject.
 */
export type FeedIssue = {
  /** Line of the file at which the item begins. */
  line: number;
  sku: string | null;
  field: string | null;
  code: FeedIssueCode;
  message: string;
  rejected: boolean;
};

export type FeedErrorCode =
  | 'empty_file'
  | 'not_xml'
  | 'not_a_feed'
  | 'not_well_formed'
  | 'dtd_not_allowed'
  | 'text_too_long'
  | 'too_deep'
  | 'too_many_attributes'
  | 'encoding_unknown'
  | 'encoding_invalid'
  | 'gzip_corrupt';

/** The file as a whole is refused. `line` and `column` are 1-based, in characters; null where there is no place to name. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: FeedErrorCode;
  readonly line: number | null;
  readonly column: number | null;

  constructor(code: FeedErrorCode, message: string, line: number | null = null, column: number | null = null) {
    super(message);
    this.code = code;
    this.line = line;
    this.column = column;
  }
}
