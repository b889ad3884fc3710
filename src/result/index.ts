export * from './run-result.ts';
