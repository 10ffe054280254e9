import { describeLandingSequences } from './landing-sequences.ts';
import { sqliteStores } from './sqlite-store.ts';

describeLandingSequences(sqliteStores([]));
