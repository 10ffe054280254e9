import { describeModel } from './model.ts';
import { postgresStores } from './postgres-store.ts';

describeModel(postgresStores([]));
