import { Global, Module } from '@nestjs/common';

/** Binds ports that a lower feature declares to the higher feature that implements them. */
@Global()
@Module({})
export class BindingsModule {}
