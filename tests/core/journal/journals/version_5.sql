BEGIN TRANSACTION;
CREATE TABLE deliveries (
    result TEXT NOT NULL REFERENCES results(id),
    tracker TEXT NOT NULL,
    state TEXT NOT NULL,                      -- pending, delivered, failed
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    location TEXT,
    note TEXT,
    updated_at REAL NOT NULL,
    PRIMARY KEY (tracker, result)
) WITHOUT ROWID;
CREATE TABLE generations (      -- one answered request
    fingerprint BLOB PRIMARY KEY,             -- 16 bytes: model, settings, messages
    mode TEXT NOT NULL,
    messages TEXT,                            -- JSON [[role, content], ...]
    prompt TEXT,
    continuations TEXT,                       -- JSON [text, ...]
    texts TEXT NOT NULL,                      -- JSON [text, ...]
    loglikelihoods TEXT,                      -- JSON [[logprob, n_tokens, is_greedy], ...]
    finish_reason TEXT,
    n_prompt_tokens INTEGER,
    n_completion_tokens INTEGER,
    latency_s REAL NOT NULL,
    served_by TEXT,
    finished_at REAL NOT NULL,
    stop_reasons TEXT,                        -- JSON [word, ...]; this and below: since version 5
    reasonings TEXT,                          -- JSON [text or null, ...]
    n_reasoning_tokens INTEGER,
    refusal TEXT,
    not_sent TEXT                             -- settings that the model refused: name,name,...
);
INSERT INTO "generations" VALUES(X'4EA58D25452CDB0E82084CDA6D0A4EA3','chat','[["user","question 0"]]',NULL,NULL,'["question 0"]',NULL,NULL,3,2,0.0,NULL,1.79583139502597284318e+09,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "generations" VALUES(X'F16D44B8606BF913FC8654CC784FC63D','chat','[["system","Be short."],["user","Capital of France?"]]',NULL,NULL,'["Capital of France?"]',NULL,NULL,3,2,0.0,NULL,1.79583139502618408206e+09,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "generations" VALUES(X'72E54214291560CD54F1582869A684D2','chat','[["user","question 2"]]',NULL,NULL,'["question 2"]',NULL,NULL,3,2,0.0,NULL,1.7958313950262432098e+09,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE plans (            -- what results come from; since version 2
    fingerprint TEXT PRIMARY KEY,
    body TEXT NOT NULL                        -- as `llmeval plan --json` prints it
) WITHOUT ROWID;
INSERT INTO "plans" VALUES('7adc2b96037c5f625d8188f37476dce6','{"fingerprint": "7adc2b96037c5f625d8188f37476dce6", "seed": 0, "concurrency": null, "models": [{"name": "fake/model", "settings": {}}], "tasks": [{"model": "fake/model", "key": "fake_0shot", "fingerprint": "39b7a5d1026d09a8ee092855e0da043c", "n_samples": 3, "settings": {"pipeline": 2, "dataset": "1eb0d48f8c265d316ec455967ea5cb16", "n_shots": 0, "mode": "chat", "prompt": {"system": null, "preamble": null, "template": "{{ input }}", "answer": " {{ references[0] }}", "continuation": " {{ choice }}", "separator": "\n\n", "examples": "turns"}, "few_shot": null, "seed": null, "generation": {"max_tokens": null, "temperature": 0.0, "top_p": null, "seed": null, "stop": [], "n": 1}, "scoring": 2, "limit": null, "extract": null, "answer_by": "generation", "reasoning_tags": null, "truncated": null, "metrics": {"fake": {"definition": "fake@1"}}, "model": {}}}], "trackers": []}');
CREATE TABLE results (          -- one finished task, as trackers get it
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    task_fingerprint TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    body TEXT NOT NULL                        -- TaskResult as JSON
);
INSERT INTO "results" VALUES(1,'cc61952087a4481abaa4838f4e7f73ca','39b7a5d1026d09a8ee092855e0da043c','fake/model','fake_0shot','{"id":"cc61952087a4481abaa4838f4e7f73ca","model":"fake/model","task":"fake_0shot","dataset":"fake","dataset_fingerprint":"1eb0d48f8c265d316ec455967ea5cb16","n_shots":0,"task_fingerprint":"39b7a5d1026d09a8ee092855e0da043c","plan_fingerprint":"7adc2b96037c5f625d8188f37476dce6","metrics":[{"key":"fake_0shot_fake","metric":"fake","definition":"fake@1","higher_is_better":true,"category":null,"aggregate":{"value":0.6666666666666666,"stderr":0.3333333333333333,"stderr_method":"sample standard deviation / sqrt(n) (central limit theorem; lm-eval mean_stderr)","n_scored":3,"n_failed":0,"interval":[0.2076596008020477,0.9385080552796037],"interval_method":"95 % score interval for a proportion (Wilson 1927)","n_excluded":0,"bounds":null}},{"key":"fake_0shot_fake/x","metric":"fake","definition":"fake@1","higher_is_better":true,"category":"x","aggregate":{"value":0.0,"stderr":null,"stderr_method":null,"n_scored":1,"n_failed":0,"interval":[0.0,0.7934506856227626],"interval_method":"95 % score interval for a proportion (Wilson 1927)","n_excluded":0,"bounds":null}}],"n_samples":3,"n_failed":0,"n_prompt_tokens":9,"n_completion_tokens":6,"started_at":1795831395.022885,"finished_at":1795831395.0283072,"settings":{"pipeline":2,"dataset":"1eb0d48f8c265d316ec455967ea5cb16","n_shots":0,"mode":"chat","prompt":{"system":null,"preamble":null,"template":"{{ input }}","answer":" {{ references[0] }}","continuation":" {{ choice }}","separator":"\n\n","examples":"turns"},"few_shot":null,"seed":null,"generation":{"max_tokens":null,"temperature":0.0,"top_p":null,"seed":null,"stop":[],"n":1},"scoring":2,"limit":null,"extract":null,"answer_by":"generation","reasoning_tags":null,"truncated":null,"metrics":{"fake":{"definition":"fake@1"}},"model":{}},"llmeval_version":"0.1.0","cost":null,"outcomes":{"answered":3},"n_total":3,"variant":null,"n_reasoning_tokens":null,"replaces":false}');
CREATE TABLE rounds (           -- of asking again; since version 5
    requests TEXT NOT NULL,                   -- tasks.requests
    name TEXT NOT NULL,                       -- what is asked again
    begun_at REAL NOT NULL,
    changed_at REAL,                          -- when it last replaced an answer
    PRIMARY KEY (requests, name)
) WITHOUT ROWID;
CREATE TABLE sample_scores (    -- of one sample, in the order of tasks.metrics
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    numbers BLOB NOT NULL,                    -- a float64 each, little-endian; NaN for no value
    grades TEXT NOT NULL,                     -- a character each; see `scores.score_buckets`
    parsed TEXT,                              -- JSON [text or null, ...]; NULL if all are null
    parts TEXT,                               -- JSON [[number, ...], ...]; NULL if all are empty
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
INSERT INTO "sample_scores" VALUES(1,0,X'000000000000F03F','2','["question 0"]',NULL);
INSERT INTO "sample_scores" VALUES(1,1,X'000000000000F03F','2','["Capital of France?"]',NULL);
INSERT INTO "sample_scores" VALUES(1,2,X'0000000000000000','0','["question 2"]',NULL);
CREATE TABLE samples (          -- how one sample of one task ended
    task INTEGER NOT NULL REFERENCES tasks(id),
    idx INTEGER NOT NULL,                     -- place in the data set, from 0
    sample_id TEXT NOT NULL,
    input TEXT NOT NULL,
    reference_texts TEXT,                     -- JSON [text, ...]
    choices TEXT,                             -- JSON [text, ...]
    answer INTEGER,
    category TEXT,
    generation BLOB,                          -- generations.fingerprint
    failure_kind TEXT,
    failure TEXT,
    outcome TEXT NOT NULL DEFAULT 'answered', -- in one word; since version 5
    messages TEXT,                            -- JSON [[role, content], ...] if the input is a
                                              -- conversation, `input` is then empty
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
INSERT INTO "samples" VALUES(1,0,'0','question 0','["question 0"]',NULL,NULL,NULL,X'4EA58D25452CDB0E82084CDA6D0A4EA3',NULL,NULL,'answered',NULL);
INSERT INTO "samples" VALUES(1,1,'c','','["Capital of France?"]',NULL,NULL,NULL,X'F16D44B8606BF913FC8654CC784FC63D',NULL,NULL,'answered','[["system","Be short."],["user","Capital of France?"]]');
INSERT INTO "samples" VALUES(1,2,'2','question 2','["no"]',NULL,NULL,'x',X'72E54214291560CD54F1582869A684D2',NULL,NULL,'answered',NULL);
CREATE TABLE tasks (            -- one task of one model, by all that decides it
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    started_at REAL NOT NULL,
    metrics TEXT NOT NULL DEFAULT '[]',       -- JSON [name, ...]; since version 4
    requests TEXT                             -- its cache_key; since version 4
);
INSERT INTO "tasks" VALUES(1,'39b7a5d1026d09a8ee092855e0da043c','fake/model','fake_0shot',1.79583139502381300923e+09,'["fake"]','b74f0e7a9cbdf2fc4fbc1b41c5abf28e');
CREATE TABLE trackers (         -- how to make a tracker again, for `llmeval sync`
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL                      -- JSON, as in the run file, `${NAME}` and all
) WITHOUT ROWID;
CREATE INDEX results_by_task ON results (model, task, seq);
CREATE INDEX samples_by_id ON samples (task, sample_id);
CREATE INDEX samples_by_category ON samples (task, category, idx)
    WHERE category IS NOT NULL;
CREATE INDEX failed_samples ON samples (task, idx) WHERE failure_kind IS NOT NULL;
CREATE INDEX samples_by_outcome ON samples (task, outcome, idx)
    WHERE outcome != 'answered';
CREATE INDEX scores_by_grades ON sample_scores (task, grades, idx);
CREATE INDEX tasks_by_requests ON tasks (requests);
CREATE INDEX tasks_by_model ON tasks (model, key);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('results',1);
COMMIT;
PRAGMA user_version=5;
