// The column MQTT 3.1.1.
import { mqttColumn } from '../mqtt/old-system.ts';

export const column = mqttColumn('3.1.1');
