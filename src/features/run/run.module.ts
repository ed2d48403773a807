import { Module } from '@nestjs/common';
import { CorporaModule } from '../corpora/index.js';
import { RetrievalModule } from '../retrieval/index.js';
import { AnswerGraph } from './application/answer-graph.js';
import { Runs } from './application/runs.js';
import { RunController } from './http/run.controller.js';
import { ConversationsRepository } from './persistence/conversations.repository.js';

@Module({
  imports: [CorporaModule, RetrievalModule],
  controllers: [RunController],
  providers: [ConversationsRepository, AnswerGraph, Runs],
})
export class RunModule {}
