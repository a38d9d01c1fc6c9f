CREATE TABLE "Limit" (
    "key" TEXT NOT NULL,
    "points" INTEGER NOT NULL,
    "expire" TIMESTAMP(3),

    CONSTRAINT "Limit_pkey" PRIMARY KEY ("key")
);
