PRAGMA user_version=3;
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
    finished_at REAL NOT NULL
);
INSERT INTO "generations" VALUES(X'4EA58D25452CDB0E82084CDA6D0A4EA3','chat','[["user","question 0"]]',NULL,NULL,'["question 0"]',NULL,NULL,3,2,0.0,NULL,1.79567108698088097567e+09);
INSERT INTO "generations" VALUES(X'0B112BF479B391B90618FFFEA4F59663','chat','[["user","question 1"]]',NULL,NULL,'["question 1"]',NULL,NULL,3,2,0.0,NULL,1.79567108698097157477e+09);
INSERT INTO "generations" VALUES(X'72E54214291560CD54F1582869A684D2','chat','[["user","question 2"]]',NULL,NULL,'["question 2"]',NULL,NULL,3,2,0.0,NULL,1.7956710869810118675e+09);
INSERT INTO "generations" VALUES(X'8269BE17EA5E94FF0406DC3DB0B5225D','chat','[["user","question 0"]]',NULL,NULL,'["answer 0"]',NULL,'stop',5,1,0.0,NULL,1.79567108699259305e+09);
INSERT INTO "generations" VALUES(X'1186E0E7BD579C128D95AC8BAFB388C1','chat','[["user","question 1"]]',NULL,NULL,'["answer 1"]',NULL,'stop',5,1,0.0,NULL,1.79567108699264144904e+09);
INSERT INTO "generations" VALUES(X'3C4332B23EDCC6469216E06CF5DB871E','chat','[["user","question 3"]]',NULL,NULL,'["answer 3"]',NULL,'stop',5,1,0.0,NULL,1.79567108699275588992e+09);
CREATE TABLE plans (            -- what results come from; since version 2
    fingerprint TEXT PRIMARY KEY,
    body TEXT NOT NULL                        -- as `llmeval plan --json` prints it
) WITHOUT ROWID;
INSERT INTO "plans" VALUES('5683f3385db537de0a7add650b8c877f','{"fingerprint": "5683f3385db537de0a7add650b8c877f", "seed": 0, "concurrency": null, "models": [{"name": "fake/model", "settings": {}}], "tasks": [{"model": "fake/model", "key": "fake_0shot", "fingerprint": "0c2f636a77bec85984928f35ae870e8f", "n_samples": 3, "settings": {"pipeline": 1, "dataset": "3f359f6291400146957093e3177fc0d6", "n_shots": 0, "mode": "chat", "prompt": {"system": null, "preamble": null, "template": "{{ input }}", "answer": " {{ references[0] }}", "continuation": " {{ choice }}", "separator": "\n\n", "examples": "turns"}, "few_shot": null, "seed": null, "generation": {"max_tokens": null, "temperature": 0.0, "top_p": null, "seed": null, "stop": [], "n": 1}, "limit": null, "extract": null, "answer_by": "generation", "metrics": {"fake": {"definition": "fake@1"}}, "model": {}}}], "trackers": []}');
CREATE TABLE results (          -- one finished task, as trackers get it
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    task_fingerprint TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    body TEXT NOT NULL                        -- TaskResult as JSON
);
INSERT INTO "results" VALUES(1,'eff2c125afc548d7b9293f3862ad0091','0c2f636a77bec85984928f35ae870e8f','fake/model','fake_0shot','{"id":"eff2c125afc548d7b9293f3862ad0091","model":"fake/model","task":"fake_0shot","dataset":"fake","dataset_fingerprint":"3f359f6291400146957093e3177fc0d6","n_shots":0,"task_fingerprint":"0c2f636a77bec85984928f35ae870e8f","plan_fingerprint":"5683f3385db537de0a7add650b8c877f","metrics":[{"key":"fake_0shot_fake","metric":"fake","definition":"fake@1","higher_is_better":true,"category":null,"aggregate":{"value":1.0,"stderr":0.0,"stderr_method":"sample standard deviation / sqrt(n) (central limit theorem; lm-eval mean_stderr)","n_scored":3,"n_failed":0}}],"n_samples":3,"n_failed":0,"n_prompt_tokens":9,"n_completion_tokens":6,"started_at":1795671086.968083,"finished_at":1795671086.9863594,"settings":{"pipeline":1,"dataset":"3f359f6291400146957093e3177fc0d6","n_shots":0,"mode":"chat","prompt":{"system":null,"preamble":null,"template":"{{ input }}","answer":" {{ references[0] }}","continuation":" {{ choice }}","separator":"\n\n","examples":"turns"},"few_shot":null,"seed":null,"generation":{"max_tokens":null,"temperature":0.0,"top_p":null,"seed":null,"stop":[],"n":1},"limit":null,"extract":null,"answer_by":"generation","metrics":{"fake":{"definition":"fake@1"}},"model":{}},"llmeval_version":"0.1.0","cost":null}');
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
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
INSERT INTO "samples" VALUES(1,0,'0','question 0','["question 0"]',NULL,NULL,NULL,X'4EA58D25452CDB0E82084CDA6D0A4EA3',NULL,NULL);
INSERT INTO "samples" VALUES(1,1,'1','question 1','["question 1"]',NULL,NULL,NULL,X'0B112BF479B391B90618FFFEA4F59663',NULL,NULL);
INSERT INTO "samples" VALUES(1,2,'2','question 2','["question 2"]',NULL,NULL,NULL,X'72E54214291560CD54F1582869A684D2',NULL,NULL);
INSERT INTO "samples" VALUES(2,0,'q0','What is the capital of France?','["Paris"]',NULL,NULL,'even',X'8269BE17EA5E94FF0406DC3DB0B5225D',NULL,NULL);
INSERT INTO "samples" VALUES(2,1,'q1','What is the capital of France?','["Paris"]',NULL,NULL,NULL,X'1186E0E7BD579C128D95AC8BAFB388C1',NULL,NULL);
INSERT INTO "samples" VALUES(2,2,'q2','What is the capital of France?','["Paris"]',NULL,NULL,'even',X'A4144EF6D4A2A970D46F57A7BF635AFF','timeout','too late');
INSERT INTO "samples" VALUES(2,3,'q3','What is the capital of France?','["Paris"]',NULL,NULL,NULL,X'3C4332B23EDCC6469216E06CF5DB871E',NULL,NULL);
CREATE TABLE scores (
    task INTEGER NOT NULL,
    metric TEXT NOT NULL,
    idx INTEGER NOT NULL,
    value REAL,
    parsed TEXT,
    parts TEXT,                               -- JSON [number, ...]
    PRIMARY KEY (task, metric, idx)
) WITHOUT ROWID;
INSERT INTO "scores" VALUES(1,'fake',0,1.0,'question 0',NULL);
INSERT INTO "scores" VALUES(1,'fake',1,1.0,'question 1',NULL);
INSERT INTO "scores" VALUES(1,'fake',2,1.0,'question 2',NULL);
INSERT INTO "scores" VALUES(2,'bleu',0,NULL,NULL,'[1.0,0.0]');
INSERT INTO "scores" VALUES(2,'bleu',1,NULL,NULL,'[1.0,1.0]');
INSERT INTO "scores" VALUES(2,'bleu',3,NULL,NULL,'[1.0,3.0]');
INSERT INTO "scores" VALUES(2,'exact_match',0,1.0,NULL,NULL);
INSERT INTO "scores" VALUES(2,'exact_match',1,0.0,'parsed',NULL);
INSERT INTO "scores" VALUES(2,'exact_match',3,0.0,'parsed',NULL);
CREATE TABLE tasks (            -- one task of one model, by all that decides it
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    started_at REAL NOT NULL
);
INSERT INTO "tasks" VALUES(1,'0c2f636a77bec85984928f35ae870e8f','fake/model','fake_0shot',1.79567108697258186341e+09);
INSERT INTO "tasks" VALUES(2,'ffffffffffffffffffffffffffffffff','m/x','d_0shot',1795671086.99133);
CREATE TABLE trackers (         -- how to make a tracker again, for `llmeval sync`
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL                      -- JSON, as in the run file, `${NAME}` and all
) WITHOUT ROWID;
CREATE INDEX results_by_task ON results (model, task, seq);
CREATE INDEX samples_by_id ON samples (task, sample_id);
CREATE INDEX samples_by_category ON samples (task, category, idx)
    WHERE category IS NOT NULL;
CREATE INDEX failed_samples ON samples (task, idx) WHERE failure_kind IS NOT NULL;
CREATE INDEX scores_by_grade ON scores (task, metric, (value > 0) + (value >= 1), idx);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('results',1);
COMMIT;
