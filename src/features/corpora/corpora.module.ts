import { Module } from '@nestjs/common';
import { PlansModule } from '../plans/index.js';
import { ResidencyModule } from '../residency/index.js';
import { Corpora } from './application/corpora.js';
import { CorpusRules } from './application/corpus-rules.js';
import { CorporaController } from './http/corpora.controller.js';
import { CorporaRepository } from './persistence/corpora.repository.js';

@Module({
  imports: [PlansModule, ResidencyModule],
  controllers: [CorporaController],
  providers: [Corpora, CorpusRules, CorporaRepository],
  exports: [Corpora, CorpusRules],
})
export class CorporaModule {}
