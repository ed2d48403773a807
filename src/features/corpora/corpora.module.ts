import { Module } from '@nestjs/common';
import { PlansModule } from '../plans/index.js';
import { Corpora } from './application/corpora.js';
import { CorporaController } from './http/corpora.controller.js';
import { CorporaRepository } from './persistence/corpora.repository.js';

@Module({
  imports: [PlansModule],
  controllers: [CorporaController],
  providers: [Corpora, CorporaRepository],
  exports: [Corpora],
})
export class CorporaModule {}
