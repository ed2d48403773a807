/** A document of the demo corpus. Its paragraphs are its chunks. */
export interface DemoDocument {
  readonly id: string;
  readonly uri: string;
  readonly filename: string;
  readonly metadata: { readonly title: string; readonly section: string; readonly source_type: string };
  readonly paragraphs: readonly string[];
}

export function demoText({ paragraphs }: DemoDocument): string {
  return paragraphs.join('\n\n');
}

/** Three documents about a made-up product, ten paragraphs in all, so that a first question finds an answer. */
export const DEMO_DOCUMENTS: readonly DemoDocument[] = [
  {
    id: 'demo-1',
    uri: 'demo://doc/1',
    filename: 'agent-2.0-testing-strategy.md',
    metadata: { title: 'Agent 2.0 Testing Strategy', section: 'Quality', source_type: 'handbook' },
    paragraphs: [
      'The testing strategy of Agent 2.0 has four layers: unit tests, integration tests, evaluation suites and shadow traffic. The strategy of each layer is to answer what the layer below it cannot. A change moves on to the next layer of testing only when the one before it is green.',
      'Unit tests cover prompt assembly, tool argument validation, retry rules and the citation parser without calling a model. They run in under ninety seconds on every commit. Integration tests run Agent 2.0 against real Postgres and Redis and a scripted model, so that streaming, cancellation and tool failures are tested on every pull request.',
      'The evaluation suites hold 1,200 graded questions from support tickets, product manuals and adversarial prompts. Every answer is scored for correctness, for groundedness in the cited passages and for refusal where a refusal is due. The suites run each night and on every change of a prompt, a model or a retrieval setting, and two reviewers grade fifty sampled answers by hand each week.',
      'Shadow traffic sends a copy of two percent of production questions to the candidate build for seventy-two hours. Users never see its answers. Latency, cost per answer, tool errors and disagreement with the current build are compared, and every disagreement above the agreed threshold becomes a new case of the evaluation suites.',
    ],
  },
  {
    id: 'demo-2',
    uri: 'demo://doc/2',
    filename: 'agent-2.0-release-gates.md',
    metadata: { title: 'Agent 2.0 Release Gates', section: 'Release', source_type: 'policy' },
    paragraphs: [
      'The release gates for Agent 2.0 are: all unit and integration tests pass; the evaluation suites reach at least 92 percent correctness and 97 percent groundedness; p95 time to first token stays below 1.5 seconds under shadow traffic; no critical or high security finding is open; and the rollback drill succeeded within the last thirty days. A build that misses one gate is not released.',
      'The release manager, the evaluation lead and the on-call engineer sign off together once every gate is met. A waiver needs the written consent of the head of engineering, names a date on which it ends, and never covers security findings or groundedness. Waivers are listed in the release notes.',
      'Agent 2.0 rolls out in four steps: internal users, then 1 percent, 10 percent and finally 100 percent of tenants, with at least twenty-four hours between two steps. The rollout stops by itself when the error rate doubles, when p95 latency grows by a quarter, or when thumbs-down feedback exceeds four percent of answers in an hour.',
    ],
  },
  {
    id: 'demo-3',
    uri: 'demo://doc/3',
    filename: 'agent-2.0-architecture-and-operations.md',
    metadata: { title: 'Agent 2.0 Architecture and Operations', section: 'Engineering', source_type: 'runbook' },
    paragraphs: [
      'Agent 2.0 replaces the single prompt of Agent 1.x with a graph of small steps: understand the question, retrieve passages, call tools, write the answer and check its citations. The state of the graph is saved after every step, so that an interrupted conversation resumes where it stopped. Retrieval and models are reached through ports and can be exchanged for each corpus.',
      'Operations watch four signals of Agent 2.0: time to first token, the share of answers without a citation, tool failure rate and cost per thousand answers. An alert pages the on-call engineer when a signal leaves its range for ten minutes. Dashboards show every signal by tenant, by model and by build.',
      'To roll back Agent 2.0, set the build flag to the previous version. Then drain running conversations for five minutes; saved state is compatible across one version in both directions. The rollback drill rehearses this every month on the staging cluster. Afterwards the incident review adds the missing test to the lowest layer that could have caught the fault.',
    ],
  },
];
