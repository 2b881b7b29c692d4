import type { Http } from '../../kernel/http/index.ts';
import type { Orders } from './index.ts';
import { Order } from './schemas.ts';

export function registerOrderRoutes(app: Http, _orders: Orders): void {
  app.addSchema(Order);
}
