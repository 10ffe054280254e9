import { describeLandingSequences } from './landing-sequences.ts';
import { postgresStores } from './postgres-store.ts';

describeLandingSequences(postgresStores([]));
