// The simulated departments that run in this process, and where they are.
import { type HumanResources, startHumanResources } from '../human-resources/server.ts';
import { type MarketSupervision, startMarketSupervision } from '../market-supervision/server.ts';
import { startUrbanManagement, type UrbanManagement } from '../urban-management/server.ts';
import type { DepartmentsConfig } from './config.ts';

export interface Departments {
  readonly urls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startDepartments(
  config: DepartmentsConfig,
  surroundings: { readonly directory: string; readonly paceMs: number },
): Promise<Departments> {
  const running: (UrbanManagement | HumanResources | MarketSupervision)[] = [];
  const urls: Record<string, string> = {};
  const close = async () => void (await Promise.all(running.map((system) => system.close())));
  try {
    if (config.urbanManagement !== undefined) {
      const system = await startUrbanManagement({ ...config.urbanManagement, ...surroundings });
      running.push(system);
      urls.urbanManagement = `${system.url}/api/v2`;
      urls.urbanManagementControl = `${system.url}/_control`;
    }
    if (config.humanResources !== undefined) {
      const system = await startHumanResources({ ...config.humanResources, ...surroundings });
      running.push(system);
      urls.humanResourcesControl = `${system.controlUrl}/_control`;
      const { broker } = config.humanResources;
      if (broker.kind === 'amqp') urls.humanResourcesAmqp = withoutPassword(broker.url);
      if (system.mqttUrl !== undefined) urls.humanResourcesMqtt = system.mqttUrl;
    }
    if (config.marketSupervision !== undefined) {
      const system = await startMarketSupervision({ ...config.marketSupervision, ...surroundings });
      running.push(system);
      urls.marketSupervision = system.url;
      urls.marketSupervisionControl = `${system.url}/_control`;
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { urls, close };
}

function withoutPassword(address: string): string {
  const url = new URL(address);
  url.password = '';
  return url.href;
}
