"""Names of the demo sub-district. All are made up; no real place is meant."""

from camera_config.site import CompoundKind, Name

__all__ = ["COMMUNITIES", "COMPOUND_SUFFIX", "CROSS_ROAD", "DISTRICT", "MAIN_AVENUE", "STEMS"]

DISTRICT = Name("汐屿", "Xiyu")
MAIN_AVENUE = Name("潮生大道", "Chaosheng Avenue")
CROSS_ROAD = Name("望舒路", "Wangshu Road")

COMMUNITIES = (
    Name("听澜", "Tinglan"),
    Name("枫渚", "Fengzhu"),
    Name("鹭汀", "Luting"),
    Name("晓岫", "Xiaoxiu"),
    Name("澄漪", "Chengyi"),
    Name("桐荫", "Tongyin"),
    Name("栖霁", "Qiji"),
    Name("月浦", "Yuepu"),
)

STEMS = (
    Name("汐云", "Xiyun"),
    Name("澜音", "Lanyin"),
    Name("霁月", "Jiyue"),
    Name("蓼汀", "Liaoting"),
    Name("青岚", "Qinglan"),
    Name("棠溪", "Tangxi"),
    Name("菀柳", "Wanliu"),
    Name("蘅芜", "Hengwu"),
    Name("疏桐", "Shutong"),
    Name("栖梧", "Qiwu"),
    Name("闻莺", "Wenying"),
    Name("漱玉", "Shuyu"),
    Name("临漪", "Linyi"),
    Name("知微", "Zhiwei"),
    Name("怀瑾", "Huaijin"),
    Name("沐晴", "Muqing"),
    Name("映荷", "Yinghe"),
    Name("拾光", "Shiguang"),
    Name("云岫", "Yunxiu"),
    Name("松涛", "Songtao"),
    Name("芷兰", "Zhilan"),
    Name("锦帆", "Jinfan"),
    Name("朗润", "Langrun"),
    Name("澹宁", "Danning"),
    Name("鸣泉", "Mingquan"),
    Name("和煦", "Hexu"),
    Name("珩璧", "Hengbi"),
    Name("琅嬛", "Langhuan"),
    Name("浮玉", "Fuyu"),
    Name("听松", "Tingsong"),
    Name("揽辰", "Lanchen"),
    Name("泊舟", "Bozhou"),
    Name("蒹葭", "Jianjia"),
    Name("采薇", "Caiwei"),
    Name("兰若", "Lanruo"),
    Name("栖霞里", "Qixiali"),
    Name("观澜里", "Guanlanli"),
    Name("望帆", "Wangfan"),
    Name("清晏", "Qingyan"),
    Name("景行", "Jingxing"),
)

COMPOUND_SUFFIX: dict[CompoundKind, tuple[Name, ...]] = {
    CompoundKind.RESIDENTIAL: (
        Name("苑", "Court"),
        Name("花园", "Gardens"),
        Name("雅居", "Residences"),
        Name("新村", "Village"),
        Name("公寓", "Apartments"),
    ),
    CompoundKind.ENTERPRISE: (Name("产业园", "Works"), Name("科技园", "Technology Park")),
    CompoundKind.COMMERCE: (Name("广场", "Plaza"), Name("集市", "Market")),
    CompoundKind.INSTITUTION: (
        Name("政务中心", "Civic Centre"),
        Name("文化馆", "Culture House"),
        Name("事务所", "Public Office"),
    ),
    CompoundKind.SCHOOL: (Name("中学", "Middle School"), Name("小学", "Primary School"), Name("幼儿园", "Kindergarten")),
    CompoundKind.HOSPITAL: (Name("医院", "Hospital"), Name("卫生服务中心", "Health Centre")),
}
