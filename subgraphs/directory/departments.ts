// The departments that take part, with codes that never change.

/** 职能部门: the short name stands on orders, the full name on letters. */
export const DEPARTMENTS = [
  { code: 'police', name: '公安', fullName: '公安局' },
  { code: 'urban-management', name: '城管', fullName: '城市管理局' },
  { code: 'justice', name: '司法', fullName: '司法局' },
  { code: 'human-resources', name: '人社', fullName: '人力资源和社会保障局' },
  { code: 'civil-affairs', name: '民政', fullName: '民政局' },
  { code: 'market-supervision', name: '市监', fullName: '市场监督管理局' },
  { code: 'work-safety', name: '安监', fullName: '应急管理局' },
  { code: 'environment', name: '环保', fullName: '生态环境局' },
] as const;
