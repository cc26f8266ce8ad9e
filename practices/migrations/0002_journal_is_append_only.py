"""The database itself refuses to change the journal, whoever asks."""

from django.db import migrations

TRIGGER = """
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
       AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL AND NEW.hash IS NOT NULL
       AND (NEW.id, NEW.practice_id, NEW.at, NEW.actor_kind, NEW.actor_id, NEW.action,
            NEW.subject_type, NEW.subject_id)
         = (OLD.id, OLD.practice_id, OLD.at, OLD.actor_kind, OLD.actor_id, OLD.action,
            OLD.subject_type, OLD.subject_id)
       AND NEW.patient_id IS NOT DISTINCT FROM OLD.patient_id
       AND NEW.facts = OLD.facts
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the journal is append only: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER journal_row_is_append_only BEFORE UPDATE OR DELETE ON practices_journalentry
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();
"""

UNDO = """
DROP TRIGGER journal_row_is_append_only ON practices_journalentry;
DROP FUNCTION journal_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("practices", "0001_initial")]
    operations = [migrations.RunSQL(TRIGGER, UNDO)]
