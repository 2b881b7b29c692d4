/** Word lists for generate.ts: enough of a shop's language that searches, facets and category pages look believable. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const ADJECTIVES = words(`
  classic slim soft light warm compact modern vintage natural organic recycled waterproof foldable adjustable portable
  wireless ergonomic insulated seamless breathable handmade reversible magnetic silent durable minimal striped printed
  quilted ribbed brushed polished matte glossy textured padded stretch everyday professional travel outdoor indoor
  winter summer junior double single large small tall wide round square oval flat deep shallow curved fine coarse
  cordless rechargeable solar digital smart hybrid premium essential original limited signature heritage urban alpine
  coastal rustic nordic tropical floral plain bright dark pale vivid`);

export const NOUNS = words(`
  shirt jacket trousers dress skirt jumper cardigan coat scarf hat gloves socks belt boots sneakers sandals backpack
  wallet watch necklace ring bracelet lamp chair table shelf desk sofa cushion blanket pillow curtain rug mirror clock
  vase candle frame basket box kettle toaster blender grinder pan pot knife board bowl plate cup mug glass bottle jug
  tray spoon fork towel robe soap brush comb razor cream balm oil serum shampoo headphones speaker keyboard mouse
  monitor charger cable adapter stand tripod camera lens printer router tent lantern hammock rope helmet bell pump
  saddle lock glove racket ball mat dumbbell kite puzzle doll train blocks drum guitar notebook pencil pen marker
  folder stapler scissors tape drill hammer saw wrench ladder hose spade rake planter seeds feeder leash collar bed
  crib stroller bib tea coffee honey jam chocolate biscuits pasta sauce spice rice`);

export const MATERIALS = words(`
  cotton linen wool silk leather suede denim fleece nylon polyester cashmere bamboo oak walnut pine steel aluminium brass
  copper glass ceramic porcelain stone marble concrete rubber cork paper felt velvet canvas rattan`);

export const COLORS = words(`
  black white grey navy blue red green olive beige brown cream pink purple orange yellow turquoise burgundy silver gold`);

export const LETTER_SIZES = words('XS S M L XL XXL');
export const SHOE_SIZES = words('36 37 38 39 40 41 42 43 44 45');

export const FILLER = words(`
  the a with and for of in to is its this that from by on as it are at your our you every each made which when where
  keeps holds fits gives comes stays feels works looks lasts washes dries opens closes folds carries protects supports
  design shape surface finish lining handle strap pocket seam edge base lid zip button buckle cover weight length width
  height inside outside morning evening weekend journey garden kitchen office home gift care machine hand water air sun
  rain year day week set pair piece pack part detail easy clean simple strong quiet safe ready careful good better well
  without after before while under over between through around again always never often only also both enough more less`);

/** Department, its groups, and each group's leaves: 10 × 5 × 4 = 200 leaf categories. */
export const CATEGORY_TREE: readonly (readonly [string, readonly (readonly [string, readonly string[]])[]])[] = [
  [
    'Clothing',
    [
      ['Tops', ['Shirts', 'T-Shirts', 'Jumpers', 'Cardigans']],
      ['Bottoms', ['Trousers', 'Jeans', 'Skirts', 'Shorts']],
      ['Outerwear', ['Coats', 'Jackets', 'Raincoats', 'Vests']],
      ['Nightwear', ['Pyjamas', 'Robes', 'Nightdresses', 'Slippers']],
      ['Underwear', ['Socks', 'Tights', 'Briefs', 'Base Layers']],
    ],
  ],
  [
    'Shoes & Bags',
    [
      ['Shoes', ['Sneakers', 'Boots', 'Sandals', 'Loafers']],
      ['Bags', ['Backpacks', 'Handbags', 'Totes', 'Suitcases']],
      ['Small Leather', ['Wallets', 'Card Holders', 'Key Rings', 'Belts']],
      ['Jewellery', ['Rings', 'Necklaces', 'Bracelets', 'Earrings']],
      ['Accessories', ['Scarves', 'Hats', 'Gloves', 'Sunglasses']],
    ],
  ],
  [
    'Home & Living',
    [
      ['Furniture', ['Chairs', 'Tables', 'Shelves', 'Sofas']],
      ['Lighting', ['Table Lamps', 'Floor Lamps', 'Pendants', 'Lanterns']],
      ['Textiles', ['Cushions', 'Blankets', 'Curtains', 'Rugs']],
      ['Decoration', ['Vases', 'Candles', 'Frames', 'Mirrors']],
      ['Storage', ['Baskets', 'Boxes', 'Hooks', 'Hangers']],
    ],
  ],
  [
    'Kitchen',
    [
      ['Cookware', ['Pans', 'Pots', 'Casseroles', 'Woks']],
      ['Appliances', ['Kettles', 'Toasters', 'Blenders', 'Coffee Machines']],
      ['Tableware', ['Plates', 'Bowls', 'Mugs', 'Glasses']],
      ['Tools', ['Knives', 'Boards', 'Graters', 'Scales']],
      ['Baking', ['Tins', 'Moulds', 'Mixers', 'Rolling Pins']],
    ],
  ],
  [
    'Electronics',
    [
      ['Audio', ['Headphones', 'Speakers', 'Microphones', 'Radios']],
      ['Computers', ['Keyboards', 'Mice', 'Monitors', 'Hubs']],
      ['Power', ['Chargers', 'Cables', 'Power Banks', 'Adapters']],
      ['Photo', ['Cameras', 'Lenses', 'Tripods', 'Camera Bags']],
      ['Smart Home', ['Sensors', 'Bulbs', 'Plugs', 'Thermostats']],
    ],
  ],
  [
    'Beauty & Care',
    [
      ['Skin', ['Creams', 'Serums', 'Balms', 'Masks']],
      ['Hair', ['Shampoos', 'Conditioners', 'Brushes', 'Dryers']],
      ['Bath', ['Soaps', 'Oils', 'Towels', 'Sponges']],
      ['Shaving', ['Razors', 'Foams', 'Aftershaves', 'Trimmers']],
      ['Fragrance', ['Perfumes', 'Colognes', 'Room Sprays', 'Diffusers']],
    ],
  ],
  [
    'Sports & Outdoors',
    [
      ['Camping', ['Tents', 'Sleeping Bags', 'Stoves', 'Hammocks']],
      ['Cycling', ['Helmets', 'Lights', 'Locks', 'Saddles']],
      ['Fitness', ['Mats', 'Dumbbells', 'Bands', 'Benches']],
      ['Ball Sports', ['Footballs', 'Basketballs', 'Rackets', 'Nets']],
      ['Water', ['Swimwear', 'Goggles', 'Paddles', 'Dry Bags']],
    ],
  ],
  [
    'Toys & Children',
    [
      ['Toys', ['Blocks', 'Dolls', 'Trains', 'Puzzles']],
      ['Baby', ['Bibs', 'Bottles', 'Carriers', 'Cribs']],
      ['Music', ['Drums', 'Guitars', 'Flutes', 'Xylophones']],
      ['Outdoor Play', ['Kites', 'Swings', 'Scooters', 'Sandpits']],
      ['Games', ['Board Games', 'Card Games', 'Dice', 'Brain Teasers']],
    ],
  ],
  [
    'Garden & Tools',
    [
      ['Gardening', ['Planters', 'Spades', 'Hoses', 'Seeds']],
      ['Hand Tools', ['Hammers', 'Saws', 'Wrenches', 'Screwdrivers']],
      ['Power Tools', ['Drills', 'Sanders', 'Jigsaws', 'Batteries']],
      ['Pets', ['Leashes', 'Collars', 'Pet Beds', 'Feeders']],
      ['Grill', ['Barbecues', 'Charcoal', 'Tongs', 'Covers']],
    ],
  ],
  [
    'Food & Office',
    [
      ['Drinks', ['Teas', 'Coffees', 'Juices', 'Syrups']],
      ['Pantry', ['Pastas', 'Sauces', 'Spices', 'Honeys']],
      ['Sweets', ['Chocolates', 'Biscuits', 'Jams', 'Candies']],
      ['Writing', ['Pens', 'Pencils', 'Notebooks', 'Markers']],
      ['Desk', ['Folders', 'Staplers', 'Scissors', 'Organisers']],
    ],
  ],
];
