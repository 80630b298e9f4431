-- Attachments: bytes that are kept once by their SHA-256, whose uploads they are, and the steps that refer to them.
CREATE TABLE "attachment" (
    "sha256" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "size" INTEGER NOT NULL,
    "stored_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "attachment_pkey" PRIMARY KEY ("sha256")
);

CREATE TABLE "attachment_upload" (
    "uploader" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "uploaded_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "attachment_upload_pkey" PRIMARY KEY ("uploader","sha256")
);
CREATE INDEX "attachment_upload_uploaded_at_idx" ON "attachment_upload"("uploaded_at");
CREATE INDEX "attachment_upload_sha256_idx" ON "attachment_upload"("sha256");

CREATE TABLE "attachment_reference" (
    "incident_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "attachment_reference_pkey" PRIMARY KEY ("incident_id","sequence","position")
);
CREATE INDEX "attachment_reference_sha256_idx" ON "attachment_reference"("sha256");

ALTER TABLE "attachment_upload" ADD CONSTRAINT "attachment_upload_sha256_fkey" FOREIGN KEY ("sha256") REFERENCES "attachment"("sha256") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "attachment_reference" ADD CONSTRAINT "attachment_reference_sha256_fkey" FOREIGN KEY ("sha256") REFERENCES "attachment"("sha256") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "attachment_reference" ADD CONSTRAINT "attachment_reference_incident_id_fkey" FOREIGN KEY ("incident_id") REFERENCES "incident"("id") ON DELETE CASCADE ON UPDATE CASCADE;
