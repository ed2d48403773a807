export { analyzerFor, Analyzer } from './analyzer.js';
