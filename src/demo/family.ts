/** How the demonstration catalogue is written down: families of variants, in a tree of categories. */

import type { Drawing } from '../modules/catalogue/index.ts';

type Ground = NonNullable<Drawing['ground']>;

const category = (ground: Ground, ...path: string[]) => ({ path, ground });

/** Every leaf of the tree, with the ground its pictures stand on. */
export const CATEGORIES = {
  mugs: category('sand', 'Kitchen & Table', 'Mugs & Cups'),
  glassware: category('mist', 'Kitchen & Table', 'Glassware'),
  tableware: category('clay', 'Kitchen & Table', 'Tableware'),
  cookware: category('stone', 'Kitchen & Table', 'Cookware & Knives'),
  teaCoffee: category('butter', 'Kitchen & Table', 'Tea & Coffee'),
  kitchenLinen: category('moss', 'Kitchen & Table', 'Linen & Storage'),
  seating: category('moss', 'Home', 'Furniture', 'Seating'),
  tables: category('moss', 'Home', 'Furniture', 'Tables & Shelves'),
  lighting: category('sand', 'Home', 'Lighting'),
  decor: category('blush', 'Home', 'Vases & Decor'),
  textiles: category('dusk', 'Home', 'Cushions & Throws'),
  scent: category('clay', 'Home', 'Candles & Scent'),
  womenDresses: category('blush', 'Clothing', 'Women', 'Dresses & Skirts'),
  womenTops: category('blush', 'Clothing', 'Women', 'Tops & Knitwear'),
  womenCoats: category('blush', 'Clothing', 'Women', 'Coats & Jackets'),
  menTops: category('mist', 'Clothing', 'Men', 'Shirts & Knitwear'),
  menTrousers: category('mist', 'Clothing', 'Men', 'Trousers'),
  menCoats: category('mist', 'Clothing', 'Men', 'Coats & Jackets'),
  kids: category('butter', 'Clothing', 'Kids'),
  shoes: category('stone', 'Shoes', 'Shoes & Sneakers'),
  boots: category('stone', 'Shoes', 'Boots & Slippers'),
  bags: category('sand', 'Accessories', 'Bags & Luggage'),
  jewellery: category('heather', 'Accessories', 'Jewellery & Watches'),
  hats: category('sea', 'Accessories', 'Hats, Scarves & Gloves'),
  notebooks: category('dusk', 'Stationery & Books', 'Notebooks & Planners'),
  writing: category('dusk', 'Stationery & Books', 'Desk & Writing'),
  books: category('dusk', 'Stationery & Books', 'Books'),
  camping: category('sea', 'Outdoor & Garden', 'Camp & Trail'),
  garden: category('moss', 'Outdoor & Garden', 'Garden'),
  audio: category('stone', 'Audio & Tech', 'Audio'),
  devices: category('stone', 'Audio & Tech', 'Cameras & Devices'),
  skin: category('heather', 'Bath & Beauty', 'Skin & Body'),
  bath: category('heather', 'Bath & Beauty', 'Bath & Hair'),
  woodenToys: category('butter', 'Toys & Games', 'Wooden Toys'),
  softToys: category('butter', 'Toys & Games', 'Soft Toys & Games'),
} as const;

export type Family = {
  /** Three letters and four digits, never used twice: the middle of the SKU. */
  code: `${string}-${number}`;
  name: string;
  brand: string;
  in: keyof typeof CATEGORIES;
  drawing: Drawing['kind'];
  /** In US dollars. */
  price: number;
  sale?: number;
  /** What each colour is called here, and what it is drawn in. */
  colors: Readonly<Record<string, Drawing['color']>>;
  /** Sizes, with a price where it differs. */
  sizes?: readonly string[] | Readonly<Record<string, number>>;
  description: string;
  material: string;
  highlights: readonly string[];
  care?: string;
  dimensions?: string;
  origin: string;
  gender?: 'female' | 'male' | 'unisex';
  ageGroup?: 'adult' | 'kids' | 'toddler' | 'infant';
  condition?: 'refurbished' | 'used';
  /** Units of every variant; null where they are not counted. Without it each variant has its own. */
  stock?: number | null;
  availability?: 'preorder' | 'backorder';
  featured?: true;
  /** How many of the three pictures it has. */
  pictures?: 1 | 2;
  mpn?: string;
};
