// The column AMQP 0-9-1.
import { amqpColumn } from '../amqp/old-system.ts';

export const column = amqpColumn;
