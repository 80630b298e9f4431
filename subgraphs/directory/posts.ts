// The posts (岗位) that there are, with codes that never change, and the role that each gives.

/** A post is called as the organisation calls it; its role is what the rest of the hub decides by (docs/incidents.md). */
export const POSTS = [
  { code: 'grid-worker', name: '网格员', role: 'grid-worker' },
  { code: 'grid-head', name: '网格长', role: 'grid-head' },
  { code: 'centre-staff', name: '综治网格服务中心人员', role: 'centre-staff' },
  { code: 'duty-officer', name: '值班员', role: 'duty-officer' },
  { code: 'operator', name: '业务人员', role: 'operator' },
  { code: 'centre-leader', name: '中心领导', role: 'leader' },
  { code: 'stationed-agency', name: '派驻机构人员', role: 'stationed-agency' },
  { code: 'department-handler', name: '部门经办人', role: 'department-handler' },
  { code: 'auditor', name: '审计员', role: 'auditor' },
] as const;

export type PostCode = (typeof POSTS)[number]['code'];
