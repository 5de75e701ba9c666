-- `janitor redecide` notes the rule that decided last.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'copydesk_writer') THEN
        GRANT UPDATE (link_rule_version) ON article TO copydesk_writer;
    END IF;
END
$$;
