-- What a machine reported was to be told to nobody, and waited for ever. What a command carries has a state of its own.
UPDATE "notification" n SET "state" = 'NO_RECIPIENT'
FROM "reporter" r
WHERE r."report_id" = n."report_id" AND r."number" = n."number"
    AND r."kind" = 'EXTERNAL_SYSTEM' AND r."subject" IS NULL
    AND n."state" = 'PENDING' AND n."command_id" IS NULL;
