-- Commands that tell a reporter of a step, by the channel that they came by.
ALTER TABLE "command" ADD COLUMN "notification" JSON;
