-- CreateTable
CREATE TABLE "division" (
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "level" INTEGER NOT NULL,
    "parent_code" TEXT,
    "ancestor_codes" TEXT[],

    CONSTRAINT "division_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "centre" (
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "level" INTEGER NOT NULL,
    "division_code" TEXT NOT NULL,
    "parent_code" TEXT,

    CONSTRAINT "centre_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "department" (
    "code" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "full_name" TEXT NOT NULL,

    CONSTRAINT "department_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "seed" (
    "name" TEXT NOT NULL,
    "version" TEXT NOT NULL,

    CONSTRAINT "seed_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "division_parent_code_code_idx" ON "division"("parent_code", "code");

-- CreateIndex
CREATE INDEX "division_level_code_idx" ON "division"("level", "code");

-- CreateIndex
CREATE INDEX "division_ancestor_codes_idx" ON "division" USING GIN ("ancestor_codes");

-- CreateIndex
CREATE UNIQUE INDEX "centre_division_code_key" ON "centre"("division_code");

-- CreateIndex
CREATE INDEX "centre_parent_code_code_idx" ON "centre"("parent_code", "code");
