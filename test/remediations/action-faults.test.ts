import { startMutableServer } from '../mutable-server/server.ts';
import { describeFaults } from './fault-suite.ts';

describeFaults(startMutableServer, true);
