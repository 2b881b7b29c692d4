import type { Http } from '../../kernel/http/index.ts';
import type { Orders } from './index.ts';
import { Cart } from './schemas.ts';

export function registerCartRoutes(app: Http, _orders: Orders): void {
  app.addSchema(Cart);
}
