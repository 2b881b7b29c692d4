import type { Http } from '../../kernel/http/index.ts';
import { registerAdminRoutes } from './admin-routes.ts';
import { registerAuthRoutes } from './auth-routes.ts';
import type { Accounts } from './index.ts';
import { registerPasswordRoutes } from './password-routes.ts';
import { registerProfileRoutes } from './profile-routes.ts';
import { registerSecondFactorRoutes } from './second-factor-routes.ts';

export function registerAccountRoutes(app: Http, accounts: Accounts): void {
  registerAuthRoutes(app, accounts);
  registerPasswordRoutes(app, accounts);
  registerSecondFactorRoutes(app, accounts);
  registerProfileRoutes(app, accounts);
  registerAdminRoutes(app, accounts);
}
