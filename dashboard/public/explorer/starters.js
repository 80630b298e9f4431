// What stands in the explorer's tabs when it is opened for the first time.

export const QUERY = `# 一次查询跨越所有系统：事件库、12345 热线、网格平台、公安、行政区划。
# 每个系统只会被问一次；没有应答的系统，其字段为空，errors 里写明是哪个系统。
query LatestIncidents {
  incidents(first: 5) {
    totalCount
    edges {
      node {
        id
        title
        stateLabel
        reportedAt
        address
        division { fullName }
        hotlineOrder { id kind status openedAt }
        grid { code name worker { name } }
        policeCase { receiptNo category status unit }
      }
    }
  }
  systems { name title state lastSeen }
}
`;

export const SUBSCRIPTION = `# 实时：每个事件到达时推送一次。
# 把最后收到的 cursor 填进 after，断线后可从那里继续。
subscription IncidentChanged {
  incidentChanged {
    cursor
    gap { reason }
    change { kind from to at by }
    incident {
      id
      title
      division { fullName }
      hotlineOrder { id status }
      grid { name worker { name } }
      policeCase { status unit }
    }
  }
}
`;
