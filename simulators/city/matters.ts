// Matters that citizens report, by their codes and names in GB/T 47678.5-2026.

export interface Matter {
  /** 5 digits. */
  readonly code: string;
  readonly name: string;
  /** Category under which the police know such a matter too; absent when they are not called. */
  readonly policeCategory?: '01' | '03' | '04' | '05';
}

export const MATTERS: readonly Matter[] = [
  { code: '01002', name: '污水井盖异常' },
  { code: '01003', name: '雨水井盖异常' },
  { code: '01037', name: '路灯异常' },
  { code: '01054', name: '充电桩异常' },
  { code: '01076', name: '公用电梯异常', policeCategory: '04' },
  { code: '02004', name: '公交站设施异常' },
  { code: '02010', name: '交通标志牌及标线异常' },
  { code: '02014', name: '交通信号灯异常', policeCategory: '03' },
  { code: '02017', name: '交通护栏异常', policeCategory: '03' },
  { code: '03001', name: '公共厕所异常' },
  { code: '03005', name: '垃圾箱异常' },
  { code: '04002', name: '行道树异常' },
  { code: '04008', name: '绿地护栏异常' },
  { code: '05009', name: '文物古迹异常' },
  { code: '06001', name: '私搭乱建' },
  { code: '06010', name: '暴露垃圾' },
  { code: '06011', name: '积存垃圾渣土' },
  { code: '06012', name: '道路不洁' },
  { code: '06013', name: '道路破损' },
  { code: '06016', name: '交通标线不清晰' },
  { code: '06017', name: '绿地脏乱' },
  { code: '06026', name: '河道污染' },
  { code: '06027', name: '油烟污染' },
  { code: '06028', name: '噪声扰民', policeCategory: '05' },
  { code: '06034', name: '废弃车辆' },
  { code: '06036', name: '乱堆杂物' },
  { code: '06040', name: '私设地锁、阻车桩', policeCategory: '05' },
  { code: '06041', name: '垃圾未分类' },
  { code: '06042', name: '垃圾站（箱）满溢' },
  { code: '06051', name: '盲道缺损' },
  { code: '07001', name: '非法小广告', policeCategory: '01' },
  { code: '07003', name: '违规户外广告' },
  { code: '08001', name: '施工扰民', policeCategory: '05' },
  { code: '08002', name: '施工占道' },
  { code: '08004', name: '工地扬尘' },
  { code: '09001', name: '无照经营游商' },
  { code: '09003', name: '流浪乞讨', policeCategory: '04' },
  { code: '09005', name: '店外经营' },
  { code: '09006', name: '占道经营' },
  { code: '09009', name: '机动车乱停放', policeCategory: '03' },
  { code: '09010', name: '非机动车乱停放' },
  { code: '09011', name: '共享单车乱象' },
  { code: '09012', name: '占用消防通道', policeCategory: '01' },
  { code: '10002', name: '架空线缆脱落' },
];
