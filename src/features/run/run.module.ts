import { Module } from '@nestjs/common';
import { AuditTrail } from '../../kernel/audit.js';
import { Ids } from '../../kernel/ids.js';
import { Log } from '../../kernel/log.js';
import { Settings } from '../../kernel/settings.js';
import { Clock } from '../../kernel/time.js';
import { UnitOfWork } from '../../platform/db/index.js';
import { ChatModel } from '../../platform/model-gateway/index.js';
import { Corpora, CorporaModule } from '../corpora/index.js';
import { RetrievalModule, Retriever } from '../retrieval/index.js';
import { AnswerGraph } from './application/answer-graph.js';
import { Runs } from './application/runs.js';
import { RunController } from './http/run.controller.js';
import { ConversationsRepository } from './persistence/conversations.repository.js';
import { RUN_SETTINGS, runSettings } from './run.settings.js';

@Module({
  imports: [CorporaModule, RetrievalModule],
  controllers: [RunController],
  providers: [
    ConversationsRepository,
    { provide: RUN_SETTINGS, inject: [Settings], useFactory: (settings: Settings) => settings.get(runSettings) },
    {
      provide: AnswerGraph,
      inject: [UnitOfWork, ConversationsRepository, Retriever, ChatModel, AuditTrail, Clock, Ids, RUN_SETTINGS],
      useFactory: (...parts: ConstructorParameters<typeof AnswerGraph>) => new AnswerGraph(...parts),
    },
    {
      provide: Runs,
      inject: [
        UnitOfWork,
        Corpora,
        Retriever,
        ConversationsRepository,
        AnswerGraph,
        AuditTrail,
        Clock,
        Ids,
        Log,
        RUN_SETTINGS,
      ],
      useFactory: (...parts: ConstructorParameters<typeof Runs>) => new Runs(...parts),
    },
  ],
})
export class RunModule {}
