import { describeModel } from './model.ts';
import { sqliteStores } from './sqlite-store.ts';

describeModel(sqliteStores([]));
