// Columns of the tables under the names of our types.

/** Of `evidence.checkpoint`, as a Checkpoint. */
export const CHECKPOINT_COLUMNS = `number, at, algorithm, tree_size AS "treeSize", root_hash AS "rootHash",
  previous_hash AS "previousHash", key_id AS "keyId", signature`;

/** Of `evidence.entry`, as an EvidenceEntry. */
export const ENTRY_COLUMNS = `subject, sequence, algorithm, previous_hash AS "previousHash", fields, hash`;
