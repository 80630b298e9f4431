-- Posts, and the workers that hold them.

-- CreateTable
CREATE TABLE "post" (
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "role" TEXT NOT NULL,

    CONSTRAINT "post_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "worker" (
    "number" TEXT NOT NULL,
    "name" TEXT,
    "phone" TEXT,
    "is_grid_worker" BOOLEAN NOT NULL,
    "division_code" TEXT NOT NULL,
    "centre_code" TEXT,
    "department_code" TEXT,

    CONSTRAINT "worker_pkey" PRIMARY KEY ("number")
);

-- CreateTable
CREATE TABLE "worker_post" (
    "worker_number" TEXT NOT NULL,
    "post_code" TEXT NOT NULL,

    CONSTRAINT "worker_post_pkey" PRIMARY KEY ("worker_number","post_code")
);

-- CreateIndex
CREATE INDEX "worker_division_code_idx" ON "worker"("division_code" text_pattern_ops);

-- CreateIndex
CREATE INDEX "worker_centre_code_number_idx" ON "worker"("centre_code", "number");

-- CreateIndex
CREATE INDEX "worker_department_code_number_idx" ON "worker"("department_code", "number");

-- AddForeignKey
ALTER TABLE "worker_post" ADD CONSTRAINT "worker_post_worker_number_fkey" FOREIGN KEY ("worker_number") REFERENCES "worker"("number") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "worker_post" ADD CONSTRAINT "worker_post_post_code_fkey" FOREIGN KEY ("post_code") REFERENCES "post"("code") ON DELETE RESTRICT ON UPDATE CASCADE;
