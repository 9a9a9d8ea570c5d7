-- The care plan: what is to be measured when, what was proposed, what was changed and why.

CREATE TABLE plan (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id int NOT NULL UNIQUE REFERENCES patient,
    -- the template that it began with, and the bounds the doctor set
    template   text NOT NULL,
    bounds     jsonb NOT NULL DEFAULT '{}',
    -- reminders stand up to this moment; null: to be written anew
    reminders_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX plan_reminders ON plan (reminders_until NULLS FIRST);

-- A measuring task: which session ("bp", "glucose"), at which local times, on which days.
CREATE TABLE plan_task (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id   int NOT NULL REFERENCES plan,
    task      text NOT NULL,
    -- {"times": ["07:00","20:00"], "weekdays": [1..7], "readings": 2, "words": …, "hint": …}
    schedule  jsonb NOT NULL,
    starts_on date NOT NULL,
    ends_on   date,
    -- on its days it stands in for the other tasks of its session
    is_block  boolean NOT NULL DEFAULT false,
    -- the proposal that brought it, null for the template's own
    proposal_id bigint,
    active    boolean NOT NULL DEFAULT true
);
CREATE INDEX plan_task_of_plan ON plan_task (plan_id) WHERE active;

CREATE TABLE proposal (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id  int NOT NULL REFERENCES patient,
    kind        text NOT NULL,
    episode     text NOT NULL,
    state       text NOT NULL CHECK (state IN ('proposed', 'accepted', 'refused', 'withdrawn')),
    -- {"reason": {"zh": …, "en": …}, "numbers": {...}, "change": {...}}
    body        jsonb NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_at  timestamptz,
    -- null where the system acted within the bounds, or withdrew what had lost its reason
    decided_by  int REFERENCES account,
    UNIQUE (patient_id, kind, episode)
);
CREATE INDEX proposal_open ON proposal (patient_id) WHERE state = 'proposed';
ALTER TABLE plan_task ADD FOREIGN KEY (proposal_id) REFERENCES proposal;

-- Each change of a plan, explained, with what was before: it can be undone.
CREATE TABLE plan_change (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id     int NOT NULL REFERENCES plan,
    proposal_id bigint REFERENCES proposal,
    at          timestamptz NOT NULL,
    -- {"zh": …, "en": …}
    explained   jsonb NOT NULL,
    before      jsonb NOT NULL,
    after       jsonb NOT NULL,
    undone_at   timestamptz,
    undone_by   int REFERENCES account
);
CREATE INDEX plan_change_of_plan ON plan_change (plan_id, id DESC);

CREATE TABLE reminder (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id int NOT NULL REFERENCES patient,
    task_id    bigint NOT NULL REFERENCES plan_task,
    due_at     timestamptz NOT NULL,
    told_at    timestamptz,
    -- when the session that answered it began
    done_at    timestamptz,
    UNIQUE (task_id, due_at)
);
CREATE INDEX reminder_of_patient ON reminder (patient_id, due_at);
CREATE INDEX reminder_due ON reminder (due_at) WHERE told_at IS NULL AND done_at IS NULL;
