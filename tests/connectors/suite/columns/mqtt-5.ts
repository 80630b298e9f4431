// The column MQTT 5.
import { mqttColumn } from '../mqtt/old-system.ts';

export const column = mqttColumn('5');
