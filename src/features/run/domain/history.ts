export interface ChatMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/**
 * Tokens that a text costs, by length alone.
 *
 * @param charsPerToken see COST_ESTIMATOR_TOKEN_CHARS_RATIO.
 */
export function estimateTokens(text: string, charsPerToken: number): number {
  if (text === '') return 0;
  const pairs = text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0;
  return Math.max(1, Math.floor((text.length - pairs) / charsPerToken));
}

/**
 * The most recent part of a conversation that fits the budget, oldest first. Without gaps, in whole messages, and
 * beginning with a user message, because an answer without its question misleads the model. Blank messages, such as
 * the answer of a run cancelled before its first token, are left out: providers refuse them.
 *
 * @param messages oldest first, without the question being asked now.
 * @param maxTokens estimated, see `estimateTokens`.
 */
export function windowHistory(
  messages: readonly ChatMessage[],
  maxTokens: number,
  charsPerToken: number,
): ChatMessage[] {
  const spoken = messages.filter((message) => message.content.trim() !== '');
  let budget = maxTokens;
  let start = spoken.length;
  for (let at = spoken.length - 1; at >= 0; at -= 1) {
    const message = spoken[at];
    if (message === undefined) break;
    budget -= estimateTokens(message.content, charsPerToken);
    if (budget < 0) break;
    if (message.role === 'user') start = at;
  }
  return spoken.slice(start);
}
