"""What the demo model is taught about the everyday world, as tables: colours, sounds, uses, opposites, English words.

A table is one string of `key=value` entries parted by blanks; the generators turn the entries into questions.
"""

from assets.build.words import listed


def _table(text: str) -> dict[str, str]:
    return dict(entry.split("=") for entry in text.split())


COLOR_OF = _table(
    "香蕉=黄色 苹果=红色 草莓=红色 樱桃=红色 西红柿=红色 葡萄=紫色 茄子=紫色 橙子=橙色 橘子=橙色 胡萝卜=橙色 柠檬=黄色 "
    "玉米=黄色 菠萝=黄色 黄瓜=绿色 菠菜=绿色 芹菜=绿色 西兰花=绿色 青椒=绿色 白菜=白色 豆腐=白色 米饭=白色 牛奶=白色 "
    "雪=白色 云=白色 盐=白色 天空=蓝色 大海=蓝色 草地=绿色 树叶=绿色 太阳=金色 月亮=银色 血=红色 国旗=红色 煤=黑色 "
    "头发=黑色 乌鸦=黑色 墨水=黑色 夜晚=黑色 巧克力=棕色 咖啡=棕色 泥土=棕色 大象=灰色 老鼠=灰色 向日葵=黄色 玫瑰=红色 "
    "荷花=粉色 桃花=粉色 金鱼=橙色 青蛙=绿色 小鸭子=黄色 天鹅=白色 北极熊=白色 鸡蛋黄=黄色 木耳=黑色 消防车=红色 救护车=白色 "
    "南瓜=橙色 石榴=红色 竹子=绿色 火焰=红色"
)
SOUND_OF = _table(
    "猫=喵喵 狗=汪汪 牛=哞哞 羊=咩咩 鸭子=嘎嘎 青蛙=呱呱 公鸡=喔喔 小鸡=叽叽 老鼠=吱吱 蜜蜂=嗡嗡 鸽子=咕咕 小鸟=啾啾 猪=哼哼"
)
EATS = _table(
    "猫=鱼 狗=骨头和肉 牛=草 羊=草 马=草 兔子=胡萝卜和青草 熊猫=竹子 猴子=香蕉和桃子 老虎=肉 狮子=肉 大象=草和树叶 "
    "长颈鹿=树叶 松鼠=松果 鸡=虫子和谷物 青蛙=虫子 蜜蜂=花蜜 老鼠=粮食 企鹅=鱼和虾 鲨鱼=鱼 骆驼=草 燕子=虫子 蚕=桑叶"
)
LIVES = _table(
    "鱼=水里 鲸鱼=大海里 海豚=大海里 鲨鱼=大海里 猴子=树林里 熊猫=竹林里 骆驼=沙漠里 企鹅=南极 北极熊=北极 老虎=山林里 "
    "狮子=草原上 长颈鹿=草原上 斑马=草原上 青蛙=池塘边 蚂蚁=地下的洞里 小鸟=树上的窝里 蜜蜂=蜂箱里 袋鼠=澳大利亚 "
    "乌龟=水边 松鼠=树上 兔子=地洞里 蜘蛛=网上 鳄鱼=河里"
)
LEGS = _table(
    "猫=四 狗=四 牛=四 马=四 羊=四 兔子=四 老虎=四 大象=四 鸡=两 鸭子=两 小鸟=两 人=两 企鹅=两 蚂蚁=六 蜜蜂=六 蝴蝶=六 "
    "蜻蜓=六 蜘蛛=八 螃蟹=八 青蛙=四 乌龟=四 鹅=两 长颈鹿=四"
)
TASTE_OF = _table(
    "柠檬=酸 醋=酸 西瓜=甜 糖=甜 蜂蜜=甜 葡萄=甜 蛋糕=甜 巧克力=甜 苦瓜=苦 咖啡=苦 莲子心=苦 辣椒=辣 生姜=辣 大蒜=辣 "
    "盐=咸 酱油=咸 咸菜=咸 海水=咸 山楂=酸 酸奶=酸 荔枝=甜 芒果=甜 芥末=辣 咸鸭蛋=咸 话梅=酸 香蕉=甜 哈密瓜=甜"
)
USE_OF = _table(
    "剪刀=剪东西 雨伞=挡雨 眼镜=看清东西 手表=看时间 钥匙=开门 笔=写字 冰箱=保存食物 洗衣机=洗衣服 电视=看节目 "
    "电话=和别人通话 锅=做饭 刀=切东西 筷子=夹菜 勺子=喝汤 毛巾=擦脸 牙刷=刷牙 肥皂=洗手 镜子=照自己 梳子=梳头 "
    "枕头=睡觉时垫头 被子=保暖 台灯=照明 空调=调节温度 风扇=吹风 扫把=扫地 拖把=拖地 锤子=钉钉子 尺子=量长度 "
    "秤=称重量 温度计=量温度 望远镜=看远处 相机=拍照 地图=找路 日历=看日期 闹钟=叫人起床 书包=装书 钱包=装钱 "
    "椅子=坐 床=睡觉 桌子=写字和吃饭 沙发=坐着休息 电梯=上下楼 红绿灯=指挥交通 橡皮=擦掉铅笔字 胶水=粘东西 "
    "针=缝衣服 帽子=遮太阳 手套=给手保暖 围巾=给脖子保暖 充电器=给手机充电 耳机=听声音 键盘=打字 鼠标=操作电脑 "
    "打印机=打印文件 微波炉=加热食物 水壶=烧水 水杯=喝水 轮椅=帮助行动不便的人 口罩=挡住灰尘 创可贴=保护小伤口"
)
ITS_WORK = _table(
    "老师=教学生知识 医生=给病人看病 警察=保护大家的安全 司机=开车 厨师=做菜 农民=种庄稼 护士=照顾病人 律师=帮人打官司 "
    "画家=画画 歌手=唱歌 演员=演戏 记者=采访和写新闻 作家=写书 科学家=做研究 工程师=设计和建造东西 程序员=写程序 "
    "消防员=救火 邮递员=送信 售货员=卖东西 理发师=剪头发 飞行员=开飞机 导游=带游客参观 会计=管账 翻译=把一种语言变成另一种语言 "
    "建筑师=设计房子 园丁=照顾花草 渔民=打鱼 裁缝=做衣服 木匠=做家具 清洁工=打扫卫生 快递员=送包裹 运动员=参加比赛 "
    "教练=指导训练 服务员=招待客人 摄影师=拍照片"
)
GO_TO = _table(
    "借书=图书馆 看电影=电影院 寄信=邮局 存钱=银行 买菜=菜市场 看病=医院 买药=药店 坐飞机=机场 坐火车=火车站 理发=理发店 "
    "看动物=动物园 看文物=博物馆 游泳=游泳馆 健身=健身房 加油=加油站 上课=学校 吃饭=饭店 喝咖啡=咖啡馆 买面包=面包店 "
    "散步=公园 买书=书店 看大海=海边 看星星=天文馆 报警=派出所 停车=停车场 坐船=码头 修手机=手机维修店 洗车=洗车店 "
    "买衣服=商场 看画=美术馆"
)
OPPOSITES = _table(
    "大=小 多=少 高=矮 长=短 远=近 快=慢 新=旧 冷=热 黑=白 早=晚 胖=瘦 轻=重 左=右 上=下 前=后 里=外 开=关 "
    "进=出 来=去 买=卖 借=还 哭=笑 站=坐 宽=窄 厚=薄 深=浅 软=硬 干=湿 甜=苦 美=丑 强=弱 真=假 对=错 "
    "好=坏 贵=便宜 胜=败 南=北 东=西 天=地 男=女 老=少 生=死 爱=恨 古=今 朝=夕 升=降 动=静 明=暗 直=弯 "
    "粗=细 松=紧 空=满 富=穷 忙=闲 勤劳=懒惰 聪明=愚笨 勇敢=胆小 干净=肮脏 安全=危险 高兴=难过 热闹=冷清 "
    "整齐=凌乱 简单=复杂 容易=困难 成功=失败 开始=结束 增加=减少 前进=后退 表扬=批评 喜欢=讨厌 光明=黑暗 温暖=寒冷 "
    "细心=粗心 骄傲=谦虚 诚实=虚伪 大方=小气 节约=浪费 仔细=马虎 团结=分裂 热情=冷淡 紧张=放松 相同=不同 重要=次要"
)
SYNONYMS = _table(
    "高兴=开心 漂亮=美丽 立刻=马上 著名=有名 仿佛=好像 忽然=突然 明白=懂得 害怕=恐惧 帮助=协助 常常=经常 非常=十分 "
    "安静=宁静 观看=观赏 特别=格外 爱护=爱惜 仍然=依然 希望=盼望 生气=愤怒 难过=伤心 奇怪=古怪 赶快=赶紧 打算=计划 "
    "保护=维护 快乐=愉快 勇敢=英勇 认真=仔细 简单=容易 回答=答复"
)
MEASURE = _table(
    "书=本 笔=支 纸=张 桌子=张 椅子=把 猫=只 狗=条 马=匹 牛=头 鱼=条 车=辆 飞机=架 船=艘 花=朵 树=棵 房子=座 "
    "山=座 桥=座 衣服=件 裤子=条 鞋=双 帽子=顶 伞=把 刀=把 灯=盏 电视=台 电脑=台 手机=部 电影=部 信=封 画=幅 "
    "歌=首 诗=首 床=张 门=扇 河=条 路=条 井=口 苹果=个 鸡蛋=个 面包=片 水=杯 茶=杯 饭=碗 米=粒 糖=块 药=粒 "
    "星星=颗 牙齿=颗 老师=位 客人=位 学生=名 钢琴=架 报纸=份 礼物=份 手表=块 筷子=双 云=朵 镜子=面 旗=面"
)
CAPITALS = _table(
    "中国=北京 日本=东京 韩国=首尔 法国=巴黎 英国=伦敦 德国=柏林 俄罗斯=莫斯科 美国=华盛顿 意大利=罗马 西班牙=马德里 "
    "泰国=曼谷 越南=河内 印度=新德里 埃及=开罗 加拿大=渥太华 澳大利亚=堪培拉 希腊=雅典 葡萄牙=里斯本 奥地利=维也纳 "
    "荷兰=阿姆斯特丹 瑞士=伯尔尼 瑞典=斯德哥尔摩 芬兰=赫尔辛基 挪威=奥斯陆 丹麦=哥本哈根 波兰=华沙 古巴=哈瓦那 "
    "墨西哥=墨西哥城 阿根廷=布宜诺斯艾利斯 巴西=巴西利亚 马来西亚=吉隆坡 土耳其=安卡拉 伊朗=德黑兰 蒙古=乌兰巴托"
)
FESTIVAL_FOOD = _table("春节=饺子 元宵节=汤圆 端午节=粽子 中秋节=月饼 生日=蛋糕 腊八节=腊八粥 冬至=饺子 重阳节=重阳糕")
FESTIVAL_DOES = _table(
    "春节=贴春联、吃团圆饭和拜年 元宵节=看花灯、猜灯谜 清明节=扫墓和踏青 端午节=赛龙舟、吃粽子 中秋节=赏月、吃月饼 "
    "重阳节=登高、看望老人 儿童节=给孩子们送礼物 教师节=向老师表示感谢 国庆节=升国旗、外出旅行 母亲节=给妈妈送上祝福"
)
SEASON_OF = _table(
    "下雪=冬天 荷花开=夏天 桃花开=春天 树叶变黄=秋天 燕子飞回来=春天 知了叫=夏天 堆雪人=冬天 收庄稼=秋天 播种=春天 "
    "吃西瓜=夏天 梅花开=冬天 菊花开=秋天 放风筝=春天 湖水结冰=冬天 游泳=夏天"
)
# From small to large: any two can be compared.
SIZES = listed("蚂蚁 蜜蜂 蝴蝶 老鼠 麻雀 鸽子 兔子 猫 狗 羊 人 猪 老虎 牛 河马 大象 鲸鱼")
SPEEDS = listed("蜗牛 乌龟 走路 跑步 自行车 公交车 汽车 高铁 飞机 火箭")

ENGLISH = _table(
    "苹果=apple 香蕉=banana 橙子=orange 葡萄=grape 西瓜=watermelon 水=water 茶=tea 牛奶=milk 咖啡=coffee 面包=bread "
    "米饭=rice 鸡蛋=egg 鱼=fish 肉=meat 猫=cat 狗=dog 鸟=bird 马=horse 牛=cow 羊=sheep 猪=pig 兔子=rabbit 老虎=tiger "
    "狮子=lion 大象=elephant 猴子=monkey 书=book 笔=pen 桌子=desk 椅子=chair 门=door 窗户=window 房子=house 学校=school "
    "医院=hospital 公园=park 城市=city 国家=country 家=home 路=road 汽车=car 火车=train 飞机=plane 船=ship 自行车=bike "
    "太阳=sun 月亮=moon 星星=star 天空=sky 海=sea 山=mountain 河=river 树=tree 花=flower 雨=rain 雪=snow 风=wind 火=fire "
    "红色=red 黄色=yellow 蓝色=blue 绿色=green 白色=white 黑色=black 一=one 二=two 三=three 四=four 五=five 六=six 七=seven "
    "八=eight 九=nine 十=ten 爸爸=father 妈妈=mother 哥哥=brother 姐姐=sister 老师=teacher 学生=student 医生=doctor "
    "朋友=friend 孩子=child 男孩=boy 女孩=girl 名字=name 时间=time 今天=today 明天=tomorrow 昨天=yesterday 早上=morning "
    "晚上=evening 春天=spring 夏天=summer 秋天=autumn 冬天=winter 星期一=Monday 星期天=Sunday 大=big 小=small 高=tall "
    "长=long 新=new 旧=old 好=good 坏=bad 快=fast 慢=slow 热=hot 冷=cold 高兴=happy 难过=sad 漂亮=beautiful 吃=eat 喝=drink "
    "走=walk 跑=run 看=see 听=listen 说=speak 读=read 写=write 学习=learn 工作=work 玩=play 睡觉=sleep 爱=love 帮助=help "
    "谢谢=thanks 再见=goodbye 你好=hello 请=please 对不起=sorry 手=hand 脚=foot 眼睛=eye 耳朵=ear 嘴=mouth 头=head 手机=phone "
    "电脑=computer 音乐=music 电影=movie 足球=football 钱=money 天气=weather 生日=birthday 礼物=gift 问题=question 答案=answer"
)
ENGLISH_OPPOSITES = _table(
    "big=small hot=cold up=down happy=sad good=bad new=old fast=slow tall=short long=short open=closed day=night black=white "
    "left=right yes=no rich=poor easy=hard early=late full=empty in=out young=old strong=weak clean=dirty"
)
ENGLISH_COLORS = _table(
    "banana=yellow apple=red grass=green sky=blue snow=white coal=black sun=yellow orange=orange strawberry=red milk=white "
    "leaf=green sea=blue rose=red night=black cloud=white"
)
ENGLISH_SOUNDS = _table("cat=meow dog=woof cow=moo sheep=baa duck=quack pig=oink bird=tweet bee=buzz")
ENGLISH_USES = _table(
    "knife=cut pen=write phone=call bed=sleep cup=drink book=read car=travel key=open~doors umbrella=stay~dry "
    "clock=tell~the~time lamp=see~in~the~dark chair=sit bag=carry~things soap=wash~your~hands camera=take~pictures"
)
