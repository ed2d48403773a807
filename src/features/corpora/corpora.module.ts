import { Module } from '@nestjs/common';
import { Corpora } from './application/corpora.js';
import { CorporaController } from './http/corpora.controller.js';
import { CorporaRepository } from './persistence/corpora.repository.js';

@Module({ controllers: [CorporaController], providers: [Corpora, CorporaRepository], exports: [Corpora] })
export class CorporaModule {}
