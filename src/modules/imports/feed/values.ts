/**
 * Values that have a fixed vocabulary in Google's product data specification
 * (https://support.google.com/merchants/answer/7052112), as feeds in the wild write them: any case, with or without
 * underscores, as schema.org addresses, in some languages.
 */
import type { Availability } from '../../catalogue/index.ts';
import { MAX_ON_HAND } from '../../catalogue/staging.ts';

export { readGtin } from '../../catalogue/staging.ts';

type Words = ReadonlyMap<string, string>;

function vocabulary(lists: Record<string, string>): Words {
  const words = new Map<string, string>();
  for (const [value, synonyms] of Object.entries(lists)) {
    for (const word of [value, ...synonyms.split(',')]) words.set(key(word), value);
  }
  return words;
}

/** `https://schema.org/InStock`, `In stock` and `in_stock` are one. */
function key(text: string): string {
  return text
    .toLowerCase()
    .replace(/^https?:\/\/schema\.org\//, '')
    .replace(/[\s_\-.'’]+/g, '');
}

/**
 * "Available for order" was merged into in_stock by Google; "on display to order" is made to order. "Discontinued" has
 * no value of its own: it cannot be bought.
 */
const AVAILABILITY = vocabulary({
  in_stock:
    'available,available for order,limited availability,limited stock,low stock,in store only,online only,yes,true',
  out_of_stock: 'sold out,unavailable,not available,no stock,discontinued,reserved,no,false',
  preorder: 'pre-order,pre-sale,coming soon',
  backorder: 'back-order,backordered,on display to order,made to order,on order',
});
const CONDITION = vocabulary({
  new: 'NewCondition,brand new,neu,neuf,neuve,nouveau,nuevo,nueva,nuovo,nuova,novo,nieuw,ny,nowy,nowe,nový,nové,новый,جديد',
  refurbished:
    'RefurbishedCondition,renewed,reconditioned,recertified,reconditionné,generalüberholt,reacondicionado,ricondizionato,repasovaný',
  used: 'UsedCondition,DamagedCondition,second hand,pre-owned,pre-loved,gebraucht,occasion,usagé,usado,usato,gebruikt,używany,použitý,مستعمل',
});
const GENDER = vocabulary({
  male: 'm,man,men,mens,boy,boys,homme,hommes,herr,herren,männer,männlich,hombre,hombres,masculino,uomo,uomini,maschile,heren,mężczyzna,muži,muž,رجال,رجالي,ذكر',
  female:
    'f,w,woman,women,womens,girl,girls,lady,ladies,femme,femmes,dame,damen,frauen,weiblich,mujer,mujeres,femenino,donna,donne,femminile,dames,kobieta,ženy,žena,نساء,نسائي,أنثى',
  unisex: 'u,all,both,mixte,neutral,gender neutral,unisexe,للجنسين',
});
const AGE_GROUP = vocabulary({
  newborn: 'newborns,neugeborene,nouveau-né',
  infant: 'infants,baby,babies,bébé,säugling',
  toddler: 'toddlers,kleinkind,tout-petit',
  kids: 'kid,child,children,junior,kinder,kind,enfant,enfants,niños,bambini,děti,أطفال',
  adult: 'adults,erwachsene,erwachsener,adulte,adultes,adulto,adultos,adulti,dospělí,للكبار',
});

const reader = (words: Words) => (text: string) => words.get(text) ?? words.get(key(text)) ?? null;

/** Each gives Google's value, or null for a word that is not known. */
export const readAvailability = reader(AVAILABILITY) as (text: string) => Availability | null;
export const readCondition = reader(CONDITION);
export const readGender = reader(GENDER);
export const readAgeGroup = reader(AGE_GROUP);

/** Units on hand, 0 to MAX_ON_HAND; null for anything else. `12.00` is 12. */
export function readQuantity(text: string): number | null {
  if (!/^\d{1,10}(?:\.0+)?$/.test(text)) return null;
  const quantity = Number(text);
  return quantity <= MAX_ON_HAND ? quantity : null;
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * `2026-02-24T11:07+0100/2026-03-01T23:07+0100` (ISO 8601) in milliseconds since 1970, both ends included; null when it
 * is no interval. Without a zone it is UTC; an end without a time is that day's end.
 */
export function readInterval(text: string): { from: number; to: number } | null {
  const ends = text.split('/');
  if (ends.length !== 2) return null;
  const from = readMoment(ends[0]!.trim(), '00:00:00.000');
  const to = readMoment(ends[1]!.trim(), '23:59:59.999');
  return from !== null && to !== null && from <= to ? { from, to } : null;
}

function readMoment(text: string, timeOfDay: string): number | null {
  const match = MOMENT.exec(text);
  if (!match) return null;
  const [, day, minutes, seconds = '00', zone = 'Z'] = match;
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`;
  const moment = Date.parse(minutes ? `${day}T${minutes}:${seconds}${offset}` : `${day}T${timeOfDay}Z`);
  return Number.isNaN(moment) ? null : moment;
}
