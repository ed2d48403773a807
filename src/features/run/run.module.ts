import { Module } from '@nestjs/common';
import { CorporaModule } from '../corpora/index.js';
import { PlansModule } from '../plans/index.js';
import { RbacAbacModule } from '../rbac-abac/index.js';
import { ReceiptsModule } from '../receipts/index.js';
import { RetrievalModule } from '../retrieval/index.js';
import { VectorDbsModule } from '../vector-dbs/index.js';
import { AnswerGraph } from './application/answer-graph.js';
import { RunLogs } from './application/run-logs.js';
import { RunSlots } from './application/run-slots.js';
import { Runs } from './application/runs.js';
import { Sessions } from './application/sessions.js';
import { EventStreams } from './http/event-streams.js';
import { RunEventsController } from './http/run-events.controller.js';
import { RunController } from './http/run.controller.js';
import { SessionsController } from './http/sessions.controller.js';
import { ConversationsRepository } from './persistence/conversations.repository.js';
import { SessionsRepository } from './persistence/sessions.repository.js';

@Module({
  imports: [CorporaModule, PlansModule, RbacAbacModule, ReceiptsModule, RetrievalModule, VectorDbsModule],
  controllers: [RunController, RunEventsController, SessionsController],
  providers: [
    ConversationsRepository,
    SessionsRepository,
    AnswerGraph,
    RunLogs,
    RunSlots,
    Runs,
    Sessions,
    EventStreams,
  ],
})
export class RunModule {}
